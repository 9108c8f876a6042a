"""Logs by structlog, configured in all its usual ways, before init() and again and again after it."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path
from typing import Any

import structlog
from opentelemetry import trace

import otel_kit

SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso"),
]
STDLIB: dict[str, Any] = {
    "logger_factory": structlog.stdlib.LoggerFactory(),
    "wrapper_class": structlog.stdlib.BoundLogger,
}
JSON = structlog.processors.JSONRenderer()


def handler() -> logging.Handler:
    """A console handler whose formatter ends the chain, as structlog's documentation has it."""
    made = logging.StreamHandler()
    made.setFormatter(structlog.stdlib.ProcessorFormatter(processor=structlog.dev.ConsoleRenderer()))
    return made


def configurations(path: str) -> dict[str, dict[str, Any]]:
    """By name; `path` is for the ones that write to a file."""
    text: Any = Path(path).open("a")  # noqa: SIM115
    raw: Any = Path(path).open("ab")  # noqa: SIM115
    return {
        "console": {"processors": [*SHARED, structlog.dev.ConsoleRenderer()]},
        "json": {
            "processors": [*SHARED, structlog.processors.dict_tracebacks, JSON],
            "logger_factory": structlog.WriteLoggerFactory(),
        },
        "bytes": {
            "processors": [*SHARED, structlog.processors.JSONRenderer(serializer=dumps)],
            "logger_factory": structlog.BytesLoggerFactory(),
        },
        "file": {
            "processors": [*SHARED, structlog.processors.KeyValueRenderer()],
            "logger_factory": structlog.PrintLoggerFactory(text),
        },
        "raw file": {
            "processors": [*SHARED, structlog.processors.JSONRenderer(serializer=dumps)],
            "logger_factory": structlog.BytesLoggerFactory(raw),
        },
        "logging json": {**STDLIB, "processors": [*SHARED, structlog.processors.format_exc_info, JSON]},
        "logging kwargs": {**STDLIB, "processors": [*SHARED, structlog.stdlib.render_to_log_kwargs]},
        "logging formatter": {
            **STDLIB,
            "processors": [*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        },
    }


def dumps(fields: Any, **_: Any) -> bytes:
    """As orjson does it: bytes."""
    return str(JSON(None, "", fields)).encode()


def write(name: str) -> None:
    """A line with a field, and one with an error."""
    log = structlog.get_logger("shop").bind(order=7)
    placed, failed = f"{name}: placed", f"{name}: failed"
    log.info(placed, user="u")
    secret = "local variable"  # noqa: F841
    try:
        raise ValueError("no room")
    except ValueError:
        log.exception(failed)


async def later() -> None:
    """From a coroutine, which structlog leaves for a thread."""
    await structlog.get_logger().ainfo("from a coroutine", order=7)


async def later_failed() -> None:
    """The same for an error, which is not being handled in that thread."""
    try:
        raise ValueError("no room")
    except ValueError:
        await structlog.get_logger("shop").aexception("failed in a coroutine")


def main(path: str) -> None:
    """Configure, init, and so on."""
    named = configurations(path)
    structlog.configure(**named["json"])
    early = structlog.get_logger()
    early.bind()
    otel_kit.init(service="logs", env="test", version="2", log_level="INFO")
    early.info("made before init")
    structlog.get_logger().debug("too much detail")
    with trace.get_tracer("logs").start_as_current_span("work"):
        for name, configuration in named.items():
            structlog.reset_defaults()
            structlog.configure(**configuration)
            if name == "logging formatter":
                logging.getLogger().addHandler(handler())
                logging.basicConfig()
            write(name)
    structlog.reset_defaults()
    asyncio.run(later())
    structlog.configure(**STDLIB, processors=[structlog.processors.CallsiteParameterAdder(), JSON])
    asyncio.run(later_failed())
    structlog.configure(**STDLIB, processors=[structlog.stdlib.render_to_log_args_and_kwargs])
    structlog.get_logger("shop").info("for %s alone", "logging", order=7)
    renamer = structlog.processors.EventRenamer("msg", "kind")
    structlog.configure(processors=[*SHARED, renamer, JSON], logger_factory=structlog.PrintLoggerFactory())
    structlog.get_logger().info("renamed", kind="placed")
    structlog.reset_defaults()
    with structlog.testing.capture_logs() as captured:
        structlog.get_logger().info("for a test only")
    assert captured[0]["event"] == "for a test only"
    logging.getLogger("plain").info("plain logging", extra={"order": 7})


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Logs by loguru, with sinks of all kinds before and after init()."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from loguru import logger
from opentelemetry import trace

import otel_kit


class Intercept(logging.Handler):
    """Leads logging to loguru, as loguru's documentation has it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log it there."""
        logger.opt(depth=6, exception=record.exc_info).log(record.levelname, record.getMessage())


class Propagate(logging.Handler):
    """Leads loguru to logging, as loguru's documentation has it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log it there."""
        logging.getLogger(record.name).handle(record)


def mask(record: object) -> bool:
    """A filter that lets pass and changes."""
    record["message"] = record["message"].replace("hunter2", "***")  # type: ignore[index]
    return True


def fail(_: object) -> bool:
    """A filter that fails."""
    raise RuntimeError("no filter")


def sinks(path: str) -> None:
    """One set-up of sinks after the other."""
    log = logger.bind(order=7)
    log.info("by the default sink {}", 1)
    log.trace("too much detail")
    secret = "local variable"  # noqa: F841
    try:
        raise ValueError("no room")
    except ValueError:
        log.exception("failed")
    logger.remove(0)
    logger.add(path, format="{message}")
    log.info("a file alone")
    log.debug("for the file only")
    logger.add(sys.stderr, level="WARNING", filter=mask)
    logger.add(sys.stdout, level="ERROR", serialize=True)
    log.info("hidden by the level")
    log.success("hidden as well")
    log.warning("password hunter2")
    log.error("two sinks")
    logger.remove()
    log.error("no sink at all")
    logger.configure(handlers=[{"sink": sys.stderr, "level": "INFO"}], extra={"team": "a"})
    log.info("configured")


def both_ways() -> None:
    """From logging to loguru, and back."""
    logging.basicConfig(handlers=[Intercept()], level=0, force=True)
    logging.getLogger("plain").warning("intercepted", extra={"order": 7})
    quiet = logging.getLogger("apart")
    quiet.propagate = False
    quiet.addHandler(Intercept())
    quiet.warning("apart from the root")
    logger.info("not from logging")
    logging.basicConfig(force=True)
    for handlers in ([Propagate(), sys.stderr], [sys.stderr, Propagate()], [Propagate()]):
        logger.configure(handlers=[{"sink": sink, "format": "{message}"} for sink in handlers])
        logger.warning(f"led on {len(handlers)} {handlers[0] is sys.stderr}")
    logger.remove()
    logger.add(sys.stderr, filter=fail)
    logger.error("a filter that fails")


def main(path: str) -> None:
    """Init, and so on."""
    otel_kit.init(service="logs", env="test", version="2", logs="both")
    with trace.get_tracer("logs").start_as_current_span("work"):
        sinks(path)
    both_ways()
    assert "a file alone" in Path(path).read_text()


if __name__ == "__main__":
    main(*sys.argv[1:])

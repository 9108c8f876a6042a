"""Writes log lines of all kinds, with logging configured again and again after init()."""

from __future__ import annotations

import logging
import logging.config
import sys

from opentelemetry import trace

import otel_kit

log = logging.getLogger("shop.orders")


class Odd:
    """Has no text."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


class Mute(Odd):
    """Has not even a representation."""

    def __repr__(self) -> str:
        raise RuntimeError("no representation")


class CustomError(Exception):
    """Says something else than its arguments."""

    def __str__(self) -> str:
        return "as it should read"


def configurations() -> None:
    """What frameworks and services do after init(); each is followed by a line."""
    logging.basicConfig(level=logging.DEBUG)
    log.info("after basicConfig")
    logging.getLogger("otel_kit_shop").info("a name that only begins like ours")
    logging.basicConfig(force=True, format="plain %(message)s", stream=sys.stderr)
    log.info("after basicConfig by force")
    stream = {"class": "logging.StreamHandler", "stream": "ext://sys.stderr"}
    file = {"class": "logging.FileHandler", "filename": "/dev/null"}
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"console": stream, "file": file},
            "root": {"level": "INFO", "handlers": ["console", "file"]},
            "loggers": {"audit": {"handlers": ["file"], "propagate": False}},
        }
    )
    log.info("after dictConfig")
    logging.getLogger("audit").info("for a file only")
    from uvicorn.config import LOGGING_CONFIG

    for _ in range(2):
        logging.config.dictConfig(LOGGING_CONFIG)
    logging.getLogger("uvicorn.error").info("from uvicorn")
    logging.getLogger("uvicorn.access").info('%s - "%s %s HTTP/%s" %d', "1.2.3.4:5", "GET", "/", "1.1", 200)


def records() -> None:
    """Records that are hard to write."""
    log.warning("extra", extra={"order": 7, "service": "other", "list": [1, {"a": None}], "odd": Odd()})
    log.info("wrong %d %d", 1)
    log.info({"a": "mapping"})
    log.info("not a number", extra={"value": float("nan"), "keys": {1: 2, (3, 4): 5}})
    circle: list[object] = []
    circle.append(circle)
    log.info("circle", extra={"circle": circle})
    log.info("surrogate \udce4 and ä")
    log.log(35, "between")
    log.info(Odd())
    log.info("%s", Odd())
    log.info("%d", Mute())
    try:
        raise CustomError("argument")
    except CustomError:
        log.exception("failed")
    log.critical("the end")
    log.debug("too much detail")
    with trace.get_tracer("logs").start_as_current_span("work"):
        log.info("within")


def main() -> None:
    """Write them all."""
    otel_kit.init(service="logs", env="test", version="2", log_level="INFO")
    # Noise about exporting would need exporting, and so on.
    logging.getLogger("otel_kit").setLevel(logging.DEBUG)
    logging.getLogger("urllib3").setLevel(logging.DEBUG)
    records()
    configurations()
    print("a plain line stays plain")  # noqa: T201


if __name__ == "__main__":
    main()

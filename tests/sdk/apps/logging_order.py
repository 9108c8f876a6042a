"""Configures logging in one way, calls init(), and writes a few lines."""

from __future__ import annotations

import logging
import logging.config
import logging.handlers
import queue
import sys

import otel_kit


class Mask(logging.Filter):
    """Hides a password."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record, as many services do it."""
        record.msg = str(record.msg).replace("hunter2", "***")
        return True


def masking() -> None:
    """A console handler with a level and a filter, beside a root logger that lets all pass."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(Mask())
    handler.setLevel("WARNING")
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel("DEBUG")


def by_hand() -> None:
    """Handlers for the console wherever one can be."""
    for name in (None, "shop"):
        logging.getLogger(name).addHandler(logging.StreamHandler(sys.stdout))


def of_its_own() -> None:
    """A logger with a handler for the console that does not propagate, as in many a ``dictConfig``."""
    console = {"class": "logging.StreamHandler", "stream": "ext://sys.stdout"}
    shop = {"handlers": ["console"], "level": "INFO", "propagate": False}
    logging.config.dictConfig({"version": 1, "handlers": {"console": console}, "loggers": {"shop": shop}})


def cleared(handler: logging.Handler) -> None:
    """All handlers of the root logger are thrown away, ours too."""
    logging.getLogger().handlers.clear()
    logging.getLogger().addHandler(handler)


def queued() -> logging.handlers.QueueListener:
    """A thread of the service writes to the console."""
    records: queue.Queue[logging.LogRecord] = queue.Queue()
    for name in (None, "shop"):
        logging.getLogger(name).addHandler(logging.handlers.QueueHandler(records))
    listener = logging.handlers.QueueListener(records, logging.StreamHandler(sys.stdout))
    listener.start()
    return listener


def intercepted() -> None:
    """Records go to loguru, by a handler as its documentation has it, whatever their level."""
    from loguru import logger

    class Intercept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            logger.opt(depth=6, exception=record.exc_info).log(record.levelname, record.getMessage())

    logging.getLogger().addHandler(Intercept())
    logging.getLogger().setLevel(0)
    logger.remove()
    logger.add(sys.stderr, level="INFO", filter=lambda record: "password" not in record["message"])


def main(case: str, path: str) -> None:
    """Configure before or after init(), then write."""
    if case == "filter":
        masking()
    if case == "warning before":
        logging.basicConfig(level=logging.WARNING)
    otel_kit.init(service="logs")
    if case == "file after":
        logging.basicConfig(level=logging.DEBUG, filename=path)
        logging.basicConfig(level=logging.ERROR)  # the second one does nothing
    if case == "level after":
        logging.basicConfig(level=logging.ERROR, format="%(message)s")
    if case == "disabling":
        logging.config.dictConfig({"version": 1, "root": {"level": "INFO"}})
    if case == "by hand":
        by_hand()
    if case == "of its own":
        of_its_own()
    if case == "cleared":
        cleared(logging.StreamHandler())
    if case == "cleared for a file":
        cleared(logging.FileHandler(path))
    if case == "intercepted":
        intercepted()
    listener = queued() if case == "queued" else None
    log = logging.getLogger("shop")
    log.debug("debug")
    log.info("info")
    log.warning("password hunter2")
    log.error("an error")
    if listener is not None:
        listener.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])

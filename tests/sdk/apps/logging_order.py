"""Configures logging in one way, calls init(), and writes a few lines."""

from __future__ import annotations

import logging
import logging.config
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
    log = logging.getLogger("shop")
    log.debug("debug")
    log.info("info")
    log.warning("password hunter2")
    log.error("an error")


if __name__ == "__main__":
    main(*sys.argv[1:])

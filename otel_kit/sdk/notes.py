"""What the library says about itself: by the `otel_kit` logger, rarely, and never as an exception."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

__all__ = ["LOGGER", "RateLimit", "fault", "quietly"]

T = TypeVar("T")
LOGGER: Final = logging.getLogger("otel_kit")


def _handle(record: logging.LogRecord) -> None:
    with contextlib.suppress(Exception):
        logging.Logger.handle(LOGGER, record)


# Filters and handlers of the service may raise: in its own call, or in a thread of ours, which would end.
LOGGER.handle = _handle  # type: ignore[method-assign]


class RateLimit:
    """Lets one call through every `seconds`; safe between threads."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next = 0.0
        self._lock = threading.Lock()

    def allows(self) -> bool:
        """True once per period."""
        now = time.monotonic()
        # Never waits: a signal handler may come amid this very call of its thread.
        if now < self._next or not self._lock.acquire(blocking=False):
            return False
        try:
            first = now >= self._next
            if first:
                self._next = now + self._seconds
        finally:
            self._lock.release()
        return first


_FAULTS: Final = RateLimit(60.0)


def fault(what: str) -> None:
    """Log the exception that is being handled, at most one a minute; for hot paths, which take no closure."""
    if _FAULTS.allows():
        LOGGER.warning("otel-kit: fault in %s; the service is not affected", what, exc_info=True)


def quietly(
    what: str, work: Callable[[], T], kinds: type[BaseException] | tuple[type[BaseException], ...] = Exception
) -> T | None:
    """The result of `work`; a fault in it is logged (one a minute) and never reaches the service.

    In threads of our own `kinds` is BaseException: nobody else is there whom one of these could be for.
    """
    try:
        return work()
    except kinds:
        fault(what)
        return None

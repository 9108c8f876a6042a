"""Ends what an answered request leaves open, when its application does not return.

A response may be complete long before the application returns: background tasks run in between. Its span is
still open for a moment, because an error that was answered with a 500 arrives right after the answer; but it
must not wait for work that takes minutes. One timer a loop looks after all such requests, since a timer for
each would cost more than the rest of the answer.
"""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Final, Protocol

__all__ = ["ERRORS_WITHIN", "Lingering", "lingering"]

#: Seconds for which the span of an answered request is open to an error, at least.
ERRORS_WITHIN: Final = 0.1


class Answered(Protocol):
    """A request whose response is complete."""

    answered_at: float

    def finish(self) -> None:
        """Record and end it."""


class Lingering:
    """The answered requests of one event loop, by their order."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.requests: dict[Answered, None] = {}
        self._armed = False

    def add(self, request: Answered) -> None:
        """Finish `request` soon, unless it is taken out of `requests` before."""
        self.requests[request] = None
        if not self._armed:
            self._armed = True
            self.loop.call_later(ERRORS_WITHIN, self._sweep)

    def _sweep(self) -> None:
        self._armed = False
        due = time.perf_counter() - ERRORS_WITHIN
        for request in list(self.requests):
            if request.answered_at > due:
                break
            self.requests.pop(request, None)
            request.finish()
        if self.requests:
            self._armed = True
            self.loop.call_later(ERRORS_WITHIN, self._sweep)


class _OfThread(threading.local):
    found: Lingering | None = None


_of_thread: Final = _OfThread()


def lingering() -> Lingering | None:
    """That of the running event loop; None where there is none (trio)."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return None
    found = _of_thread.found
    if found is None or found.loop is not loop:
        found = _of_thread.found = Lingering(loop)
    return found

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

__all__ = ["linger"]

#: Seconds for which the span of an answered request is open to an error, at least.
ERRORS_WITHIN: Final = 0.1


class Answered(Protocol):
    """A request whose response is complete."""

    answered_at: float

    def finish(self) -> None:
        """Record and end it."""


class _Loop:
    """The answered requests of one event loop, by their order."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.requests: dict[Answered, None] = {}
        self.armed = False

    def arm(self) -> None:
        """Look after them in a moment."""
        self.armed = True
        self.loop.call_later(ERRORS_WITHIN, self._sweep)

    def _sweep(self) -> None:
        """Finish those that were answered long enough ago."""
        due = time.perf_counter() - ERRORS_WITHIN
        for request in list(self.requests):
            if request.answered_at > due:
                break
            self.requests.pop(request, None)
            request.finish()
        self.armed = False
        if self.requests:
            self.arm()


class _Thread(threading.local):
    current: _Loop | None = None


_thread: Final = _Thread()


def linger(request: Answered) -> dict[Answered, None] | None:
    """Finish `request` soon, unless it is taken out of what this returns before.

    None where nothing will: outside of asyncio, the end of the application has to.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:  # trio
        return None
    current = _thread.current
    if current is None or current.loop is not loop:
        current = _thread.current = _Loop(loop)
    requests = current.requests
    requests[request] = None
    if not current.armed:
        current.arm()
    return requests

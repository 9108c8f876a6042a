"""Keep to Datadog's rate limits: wait before a request that would be refused, and after one that was.

Each answer tells of one limit by headers: ``X-RateLimit-Name``, ``-Remaining`` and ``-Reset`` (seconds until
the period ends). https://docs.datadoghq.com/api/latest/rate-limits/
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

__all__ = ["RateLimits"]

# A period is at most an hour; an answer that asks for more is not worth waiting for.
_LONGEST_WAIT = 300.0
_WORTH_TELLING = 0.5


class RateLimits:
    """What is known of the limits of one API client. Safe to share between threads.

    Args:
        told: called with a sentence before each wait that a person would notice.
        clock: seconds, monotonic.
        sleep: waits that many seconds.
    """

    def __init__(
        self,
        told: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._told = told
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._names: dict[str, str] = {}
        self._open_at: dict[str, float] = {}

    def before(self, route: str) -> None:
        """Wait until `route` (method and path without ids) may be asked."""
        with self._lock:
            name = self._names.get(route, route)
            wait = self._open_at.get(name, 0.0) - self._clock()
        if wait > 0:
            if wait >= _WORTH_TELLING:
                self._told(f"rate limit of {route}: waiting {wait:.0f} s")
            self._sleep(wait)

    def after(self, route: str, status: int, headers: Mapping[str, str]) -> bool:
        """Learn from an answer; True when it was a 429 that is worth another try."""
        values = {key.lower(): value for key, value in headers.items()}
        reset = _number(values.get("x-ratelimit-reset"))
        exhausted = status == 429 or values.get("x-ratelimit-remaining") == "0"
        with self._lock:
            name = self._names[route] = values.get("x-ratelimit-name", self._names.get(route, route))
            if exhausted:
                wait = reset if reset is not None else 1.0
                self._open_at[name] = self._clock() + min(wait, _LONGEST_WAIT)
        return status == 429 and (reset or 0.0) <= _LONGEST_WAIT


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else max(0.0, float(text))
    except ValueError:
        return None

"""Datadog's rate-limit headers, and the 429 behind them.

Windows are aligned to the clock, as Datadog's are (https://docs.datadoghq.com/api/latest/rate-limits/). The
limit is far above Datadog's, so that a local loop is not slowed down.
"""

from __future__ import annotations

import threading
import time
from typing import Final

__all__ = ["LIMIT", "PERIOD_S", "RateLimits"]

LIMIT: Final = 10_000
PERIOD_S: Final = 60


class RateLimits:
    """Counts calls by name in the current window."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._window = 0
        self._used: dict[str, int] = {}

    def take(self, name: str) -> tuple[bool, dict[str, str]]:
        """Count one call: is it within the limit, and the headers that say so."""
        now = time.time()
        with self._lock:
            if int(now // PERIOD_S) != self._window:
                self._window, self._used = int(now // PERIOD_S), {}
            used = self._used[name] = self._used.get(name, 0) + 1
        return used <= LIMIT, {
            "X-RateLimit-Limit": str(LIMIT),
            "X-RateLimit-Period": str(PERIOD_S),
            "X-RateLimit-Remaining": str(max(0, LIMIT - used)),
            "X-RateLimit-Reset": str(PERIOD_S - int(now % PERIOD_S)),
            "X-RateLimit-Name": name,
        }

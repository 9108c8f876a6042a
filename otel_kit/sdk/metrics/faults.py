"""Measurements that cannot be taken."""

from __future__ import annotations

import threading

from otel_kit.sdk.notes import LOGGER, RateLimit

__all__ = ["Faults"]


class Faults:
    """Measurements that could not be taken: counted, and told of once a minute."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a signal may come while it is held
        self._count = 0
        self._line = RateLimit(60.0)

    def note(self, metric: str, why: str) -> None:
        """One measurement is dropped."""
        with self._lock:
            self._count += 1
        if self._line.allows():
            LOGGER.warning("otel-kit: a measurement of the metric %s is dropped: %s", metric, why)

    def take(self) -> int:
        """How many since the last time."""
        with self._lock:
            count, self._count = self._count, 0
        return count

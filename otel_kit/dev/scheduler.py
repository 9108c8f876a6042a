"""Evaluate all monitors again and again, in a thread of its own."""

from __future__ import annotations

import threading

from otel_kit.dev.store.database import Database

__all__ = ["Scheduler"]


class Scheduler:
    """Runs from `start` to `stop`."""

    def __init__(self, database: Database, every_s: float) -> None:
        self._database = database
        self._every_s = every_s
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End."""
        self._stopped.set()

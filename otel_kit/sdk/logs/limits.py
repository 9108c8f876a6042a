"""Keeps loggers that write too much within limits, and tells how much was left out.

- A share keeps or leaves out all records of one trace together, and those outside of any by chance. It never
  touches errors: they are what is looked for, and few.
- A rate holds errors to the same number as all else, but counts them apart: a storm of errors says nothing
  new after the first of them, yet chatter must not use up the room of an error.
"""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextvars import Context
from typing import TYPE_CHECKING, Final

from opentelemetry import trace
from opentelemetry.metrics import CallbackOptions, Observation

from otel_kit.sdk.delivery.threads import spawn
from otel_kit.sdk.notes import quietly

if TYPE_CHECKING:
    from otel_kit.sdk.config.logs import LogLimit

__all__ = ["Limits"]

_REMEMBER: Final = 4096
#: The part of a trace id that is random: https://www.w3.org/TR/trace-context-2/#randomness-of-trace-id
_RANDOM: Final = 1 << 56


class _Bucket:
    """Fills with `rate` a second, to what a second (or one record) takes; each record takes one out."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._most = max(1.0, rate)
        self._left = self._most
        self._since = time.monotonic()

    def take(self) -> bool:
        if not self._rate:
            return False
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._since) * self._rate)
        self._since = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class _Rule:
    def __init__(self, limit: LogLimit) -> None:
        self.logger = limit.logger
        self._limit = limit
        self.reset()

    def reset(self) -> None:
        # A record may come amid another one of the same thread, from a signal handler, say.
        self._lock = threading.RLock()
        self.left_out = self.told = 0
        rate = self._limit.per_second
        self._buckets = None if rate is None else (_Bucket(rate), _Bucket(rate))

    def allows(self, level: int) -> bool:
        error = level >= logging.ERROR
        with self._lock:
            kept = self._buckets[error].take() if self._buckets else error or self._drawn()
            if not kept:
                self.left_out += 1
        return kept

    def _drawn(self) -> bool:
        span = trace.get_current_span().get_span_context()
        drawn = span.trace_id % _RANDOM / _RANDOM if span.is_valid else random.random()  # noqa: S311
        return drawn < (self._limit.share or 0.0)

    def untold(self) -> int:
        """How many were left out since the last time."""
        with self._lock:
            count, self.told = self.left_out - self.told, self.left_out
        return count


class Limits:
    """Decides which records are kept; the limit of the longest name counts.

    Args:
        limits: at least one.
        tell: takes the records that say how much was left out.
        every: seconds between these.
    """

    def __init__(
        self, limits: Sequence[LogLimit], tell: Callable[[logging.LogRecord], object], *, every: float = 60.0
    ) -> None:
        self._rules = sorted((_Rule(limit) for limit in limits), key=lambda rule: -len(rule.logger))
        self._tell = tell
        self._every = every
        self._known: dict[str, _Rule | None] = {}

    def start(self) -> None:
        """Tell from now on, also in child processes."""
        self._start()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=lambda: quietly("limits of logs", self._renew))

    def allows(self, record: logging.LogRecord) -> bool:
        """Whether to keep the record; counts it where not."""
        name = record.name
        rule = self._known[name] if name in self._known else self._find(name)
        return rule is None or rule.allows(record.levelno)

    def report(self) -> None:
        """Tell what was not told yet, in the name of the logger: where its owner looks."""
        for rule in self._rules:
            count = rule.untold()
            if count:
                # Outside of the thread's own context, in which nothing is recorded.
                Context().run(self._tell, _record(rule.logger or "root", count))

    def observe(self, _: CallbackOptions) -> Iterable[Observation]:
        """For a counter: how many were left out, by the name in the limit."""
        return [Observation(rule.left_out, {"logger.name": rule.logger or "*"}) for rule in self._rules]

    def _find(self, name: str) -> _Rule | None:
        found = [r for r in self._rules if not r.logger or f"{name}.".startswith(f"{r.logger}.")]
        if len(self._known) >= _REMEMBER:
            self._known.clear()
        rule = self._known[name] = found[0] if found else None
        return rule

    def _start(self) -> None:
        spawn("otel-kit-log-limits", self._run)

    def _run(self) -> None:
        while True:
            time.sleep(self._every)
            quietly("limits of logs", self.report)

    def _renew(self) -> None:
        for rule in self._rules:
            rule.reset()
        self._start()


def _record(name: str, count: int) -> logging.LogRecord:
    record = logging.LogRecord(
        name, logging.WARNING, __file__, 0, "%d records of logger %s were left out", (count, name), None
    )
    record.__dict__["otel_kit.left_out"] = count
    return record

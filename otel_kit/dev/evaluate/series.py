"""What an evaluation reads: series of a metric, from wherever they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from otel_kit.dev.model import Distribution, MetricType

__all__ = ["Group", "SeriesData", "SeriesReader", "Span"]

#: The tags that name a group, in the order of ``by {}``; empty for a query without one.
Group = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesData:
    """One series: its points within the time asked for, by second, and its first and last second ever."""

    tags: frozenset[str]
    type: MetricType
    first: int
    last: int
    points: Sequence[tuple[int, float | Distribution]]


class SeriesReader(Protocol):
    """Where series come from."""

    def read(self, metric: str, start: int, end: int) -> Sequence[SeriesData]:
        """All series of `metric`, with their points from second `start` up to, but not including, `end`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Seconds from `start` up to, but not including, `end`, in buckets of `step` seconds.

    Buckets are aligned to UNIX time, as Datadog's roll-ups are, so the first and the last may be cut.
    """

    start: int
    end: int
    step: int

    def buckets(self) -> range:
        """Start of each bucket."""
        return range(self.start - self.start % self.step, self.end, self.step)

    def with_step(self, step: int) -> Span:
        """The same time in other buckets."""
        return Span(start=self.start, end=self.end, step=step)

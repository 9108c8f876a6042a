"""What the stand-in keeps: plain values, in the order of the columns they are stored in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

__all__ = ["Distribution", "Log", "Loss", "MetricType", "Point", "Signal", "Span"]

MetricType = Literal["count", "gauge", "distribution"]
Signal = Literal["traces", "metrics", "logs"]


class Span(NamedTuple):
    """A span as Datadog shows it. Ids are lower-case hex; `attributes`, `events`, `links` are JSON texts."""

    trace_id: str
    span_id: str
    parent_id: str
    service: str
    env: str
    version: str
    name: str
    kind: str
    operation: str
    resource: str
    type: str
    start_ns: int
    duration_ns: int
    error: int
    status_message: str
    attributes: str
    resource_attributes: str
    events: str
    links: str


class Log(NamedTuple):
    """A log line as Datadog shows it. `attributes` and `tags` are JSON texts."""

    timestamp_ms: int
    status: str
    service: str
    message: str
    trace_id: str
    span_id: str
    attributes: str
    tags: str
    env: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """One point of a distribution: exact totals, and buckets ``(low, high, count)`` for percentiles."""

    count: float
    sum: float
    min: float
    max: float
    buckets: tuple[tuple[float, float, float], ...]


class Point(NamedTuple):
    """One point of one series. `tags` are sorted and normalised; `value` is None for a distribution."""

    metric: str
    type: MetricType
    tags: tuple[str, ...]
    time_ns: int
    value: float | None
    distribution: Distribution | None

    @property
    def second(self) -> int:
        """The second that Datadog keeps the point under."""
        return self.time_ns // 1_000_000_000


@dataclass(frozen=True, slots=True)
class Loss:
    """`count` things of `signal` that are not kept, and why."""

    signal: Signal | Literal["notifications"]
    reason: str
    count: int

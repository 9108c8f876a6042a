"""Spans, metrics and log records as a test wants to see them, with the assertions that belong to them."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Event", "Link", "Log", "Metric", "Point", "Span", "expect"]

#: pytest shows the line of the test that fails, and not these.
__tracebackhide__ = operator.methodcaller("errisinstance", AssertionError)


def expect(holds: object, message: str) -> None:
    """AssertionError with this message alone, where it does not hold; also under ``python -O``."""
    if not holds:
        raise AssertionError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event of a span; `time` in nanoseconds since 1970."""

    name: str
    attributes: Mapping[str, Any]
    time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link of a span; ids in lower-case hex."""

    trace_id: str
    span_id: str
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A span that has ended.

    Attributes:
        kind: INTERNAL, SERVER, CLIENT, PRODUCER or CONSUMER.
        trace_id: 32 hex digits.
        span_id: 16 hex digits.
        parent_id: 16 hex digits, or None for a root.
        start: nanoseconds since 1970.
        end: nanoseconds since 1970.
        status: UNSET, OK or ERROR.
        message: of the status.
        scope: name of the tracer.
    """

    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str | None
    start: int
    end: int
    status: str
    message: str
    attributes: Mapping[str, Any]
    events: Sequence[Event]
    links: Sequence[Link]
    scope: str
    resource: Mapping[str, Any]

    @property
    def exceptions(self) -> list[str]:
        """Types of the exceptions that were recorded on it."""
        return [str(e.attributes.get("exception.type")) for e in self.events if e.name == "exception"]

    def assert_attributes(self, expected: Mapping[str, Any] | None = None, /, **more: Any) -> None:
        """These attributes have these values; it may have others. None: the attribute is absent."""
        _compare(f"span {self.name!r}", self.attributes, {**(expected or {}), **more})

    def assert_child_of(self, parent: Span) -> None:
        """It is a direct child of `parent`."""
        expect(
            (self.trace_id, self.parent_id) == (parent.trace_id, parent.span_id),
            f"span {self.name!r} is no child of {parent.name!r}: its parent is {self.parent_id} in trace "
            f"{self.trace_id}, and not {parent.span_id} in trace {parent.trace_id}",
        )

    def assert_root(self) -> None:
        """It has no parent."""
        expect(self.parent_id is None, f"span {self.name!r} is no root: its parent is {self.parent_id}")

    def assert_ok(self) -> None:
        """Its status is not ERROR, and no exception was recorded."""
        expect(self.status != "ERROR", f"span {self.name!r} has failed: {self.message or self.exceptions}")
        expect(not self.exceptions, f"span {self.name!r} has recorded {self.exceptions}")

    def assert_error(self, exception: str | type[BaseException] | None = None) -> None:
        """Its status is ERROR; with `exception` one of this type, or name, was recorded once."""
        expect(self.status == "ERROR", f"span {self.name!r} has the status {self.status}, not ERROR")
        if exception is not None:
            name = exception if isinstance(exception, str) else exception.__name__
            found = [kind for kind in self.exceptions if kind == name or kind.endswith(f".{name}")]
            expect(len(found) == 1, f"span {self.name!r} has recorded {self.exceptions}, not {name} once")


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One data point: what the test has recorded with these attributes.

    Attributes:
        value: the sum of a counter, the last value of a gauge, the sum of a histogram.
        count: recordings of a histogram; 0 for others.
    """

    attributes: Mapping[str, Any]
    value: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metric with all its points.

    Attributes:
        kind: sum, gauge, histogram or exponential_histogram.
        scope: name of the meter.
    """

    name: str
    unit: str
    kind: str
    scope: str
    points: Sequence[Point]

    def matching(self, attributes: Mapping[str, Any] | None = None) -> list[Point]:
        """The points that have these attributes."""
        wanted = (attributes or {}).items()
        return [p for p in self.points if all(p.attributes.get(key) == value for key, value in wanted)]

    def value(self, attributes: Mapping[str, Any] | None = None) -> float:
        """What was counted with these attributes; of a histogram the sum; of gauges all that match."""
        return sum(point.value for point in self.matching(attributes))

    def count(self, attributes: Mapping[str, Any] | None = None) -> int:
        """How often a histogram was recorded with these attributes."""
        return sum(point.count for point in self.matching(attributes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """A log record.

    Attributes:
        severity: its text: DEBUG, INFO, WARN, ERROR or CRITICAL.
        logger: name of the logger.
        trace_id: 32 hex digits, or None outside a span.
        span_id: 16 hex digits, or None outside a span.
        time: nanoseconds since 1970.
    """

    body: Any
    severity: str
    logger: str
    trace_id: str | None
    span_id: str | None
    attributes: Mapping[str, Any]
    time: int

    def assert_attributes(self, expected: Mapping[str, Any] | None = None, /, **more: Any) -> None:
        """These attributes have these values; it may have others. None: the attribute is absent."""
        _compare(f"log record {self.body!r}", self.attributes, {**(expected or {}), **more})

    def assert_in(self, span: Span) -> None:
        """It was written while `span` was current."""
        expect(
            (self.trace_id, self.span_id) == (span.trace_id, span.span_id),
            f"log record {self.body!r} belongs to span {self.span_id}, not to {span.name!r} ({span.span_id})",
        )


def _compare(what: str, found: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    wrong = [
        f"{key} is {found.get(key)!r}, not {value!r}"
        for key, value in expected.items()
        if found.get(key) != value
    ]
    expect(not wrong, f"{what}: {'; '.join(wrong)} (it has {dict(found)})")

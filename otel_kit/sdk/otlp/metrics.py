"""Writes metrics as OTLP, opentelemetry/proto/metrics/v1/metrics.proto, from the data classes of the SDK."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from struct import Struct, pack
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.sdk.metrics.export import (
    ExponentialHistogram,
    Gauge,
    Histogram,
    NumberDataPoint,
    Sum,
)

from otel_kit.sdk.otlp.envelope import Envelope
from otel_kit.sdk.otlp.wire import Attributes, Redact, field, utf8, varint

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import Metric, MetricsData

__all__ = ["Lost", "MetricsEncoder", "Shift"]

#: Called for points that cannot be sent: how many, the reason and what is behind it.
Lost = Callable[[int, str, str], None]

_FIXED: Final = Struct("<Q").pack
_SIGNED: Final = Struct("<q").pack
_DOUBLE: Final = Struct("<d").pack
_LOWEST: Final = -(1 << 63)
_HIGHEST: Final = (1 << 63) - 1
_DELTA: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """How the times of points are moved.

    Attributes:
        by: nanoseconds that each time is moved ahead.
        floor: no interval of a delta point begins before.
    """

    by: int = 0
    floor: int = 0


class MetricsEncoder:
    """Makes requests of collections.

    Args:
        lost: told of points that cannot be sent.
        largest: bytes of a request; a collection that is larger becomes several.
        redact: see `Attributes`.
    """

    def __init__(self, lost: Lost, *, largest: int, redact: Redact | None = None) -> None:
        self._lost = lost
        self._largest = largest
        self._attributes = Attributes(redact)
        self._envelope = Envelope(self._attributes)

    def requests(self, data: MetricsData, shift: Shift) -> Iterator[tuple[bytes, int]]:
        """Bodies of requests, each with the number of its points."""
        request = self._envelope.request()
        size = points = 0
        for resource in data.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    for body, count in self._bodies(metric, shift):
                        if size and size + len(body) > self._largest:
                            yield request.packed(), points
                            request, size, points = self._envelope.request(), 0, 0
                        request.bodies(resource.resource, scope.scope).append(body)
                        size += len(body)
                        points += count
        if size:
            yield request.packed(), points

    def _bodies(self, metric: Metric, shift: Shift) -> Iterator[tuple[bytes, int]]:
        """The metric, in several pieces where its points are too many for one request."""
        tag, write, tail = self._kind(metric.data)
        head = b"".join(
            [field(key, utf8(text)) for key, text in _texts(metric) if text]  # empty ones are left out
        )
        room = self._largest - len(head)
        piece: list[bytes] = []
        size = count = 0
        for point in metric.data.data_points:
            data = self._point(metric, write, point, shift)
            if data is None:
                continue
            if len(data) > room:
                self._lost(1, "too_large", metric.name)
                continue
            if size + len(data) > room:
                yield head + field(tag, b"".join([*piece, tail])), count
                piece, size, count = [], 0, 0
            piece.append(data)
            size += len(data)
            count += 1
        if piece:
            yield head + field(tag, b"".join([*piece, tail])), count

    def _point(self, metric: Metric, write: Any, point: Any, shift: Shift) -> bytes | None:
        delta = getattr(metric.data, "aggregation_temporality", 0) == _DELTA
        end = point.time_unix_nano + shift.by
        begin = point.start_time_unix_nano
        if delta:
            begin = min(max(shift.floor, begin), end)
        try:
            return field(b"\x0a", write(point, begin, end))
        except Exception as error:  # a sum beyond all numbers; its neighbours are sent all the same
            self._lost(1, "encode", f"{metric.name}: {type(error).__name__}")
            return None

    def _kind(self, data: Any) -> tuple[bytes, Callable[[Any, int, int], bytes], bytes]:
        """Tag of the kind in a metric, how its points are written, and what follows them."""
        if isinstance(data, Gauge):
            return b"\x2a", self._level, b""
        temporality = b"\x10" + varint(int(data.aggregation_temporality))
        if isinstance(data, Sum):
            return b"\x3a", self._number, temporality + (b"\x18\x01" if data.is_monotonic else b"")
        if isinstance(data, Histogram):
            return b"\x4a", self._histogram, temporality
        if isinstance(data, ExponentialHistogram):
            return b"\x52", self._exponential, temporality
        raise TypeError(f"no kind of metric: {type(data).__name__}")

    def _level(self, point: NumberDataPoint, begin: int | None, end: int) -> bytes:
        del begin  # a level has no interval
        return self._number(point, 0, end)

    def _number(self, point: NumberDataPoint, begin: int, end: int) -> bytes:
        parts = _times(begin, end)
        parts.append(_value(b"\x21", b"\x31", point.value))
        self._attributes.write(b"\x3a", point.attributes or {}, parts)
        self._exemplars(b"\x2a", point.exemplars, parts)
        return b"".join(parts)

    def _histogram(self, point: Any, begin: int, end: int) -> bytes:
        parts = _times(begin, end)
        counts, bounds = point.bucket_counts, point.explicit_bounds
        parts += (b"\x21", _FIXED(point.count), b"\x29", _DOUBLE(point.sum))
        if counts:
            parts.append(field(b"\x32", pack(f"<{len(counts)}Q", *counts)))
        if bounds:
            parts.append(field(b"\x3a", pack(f"<{len(bounds)}d", *bounds)))
        _extremes(b"\x59", b"\x61", point, parts)
        self._attributes.write(b"\x4a", point.attributes or {}, parts)
        self._exemplars(b"\x42", point.exemplars, parts)
        return b"".join(parts)

    def _exponential(self, point: Any, begin: int, end: int) -> bytes:
        parts = _times(begin, end)
        parts += (b"\x21", _FIXED(point.count), b"\x29", _DOUBLE(point.sum))
        parts += (b"\x30", _zigzag(point.scale), b"\x39", _FIXED(point.zero_count))
        for tag, buckets in ((b"\x42", point.positive), (b"\x4a", point.negative)):
            if buckets.bucket_counts:
                counts = b"".join(map(varint, buckets.bucket_counts))
                parts.append(field(tag, b"\x08" + _zigzag(buckets.offset) + field(b"\x12", counts)))
        if point.flags:
            parts += (b"\x50", varint(point.flags))
        _extremes(b"\x61", b"\x69", point, parts)
        self._attributes.write(b"\x0a", point.attributes or {}, parts)
        self._exemplars(b"\x5a", point.exemplars, parts)
        return b"".join(parts)

    def _exemplars(self, tag: bytes, exemplars: Sequence[Any], parts: list[bytes]) -> None:
        for exemplar in exemplars:
            body = [b"\x11", _FIXED(exemplar.time_unix_nano), _value(b"\x19", b"\x31", exemplar.value)]
            if exemplar.span_id is not None and exemplar.trace_id is not None:
                body.append(field(b"\x22", exemplar.span_id.to_bytes(8, "big")))
                body.append(field(b"\x2a", exemplar.trace_id.to_bytes(16, "big")))
            self._attributes.write(b"\x3a", exemplar.filtered_attributes or {}, body)
            parts.append(field(tag, b"".join(body)))


def _texts(metric: Metric) -> tuple[tuple[bytes, str | None], ...]:
    return (b"\x0a", metric.name), (b"\x12", metric.description), (b"\x1a", metric.unit)


def _times(begin: int, end: int) -> list[bytes]:
    return [b"\x11", _FIXED(begin), b"\x19", _FIXED(end)]


def _value(as_double: bytes, as_int: bytes, value: float) -> bytes:
    """A whole number stays one as long as it fits into 64 bits."""
    if isinstance(value, int) and _LOWEST <= value <= _HIGHEST:
        return as_int + _SIGNED(value)
    return as_double + _DOUBLE(value)


def _extremes(least: bytes, most: bytes, point: Any, parts: list[bytes]) -> None:
    """Infinite where they are not recorded, and then left out: a backend would take them for values."""
    if math.isfinite(point.min) and math.isfinite(point.max):
        parts += (least, _DOUBLE(point.min), most, _DOUBLE(point.max))


def _zigzag(number: int) -> bytes:
    return varint(number << 1 if number >= 0 else (-number << 1) - 1)

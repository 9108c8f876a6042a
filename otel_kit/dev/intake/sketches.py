"""OTLP histograms -> a `Distribution`: exact totals, and buckets with finite edges for percentiles."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from opentelemetry.proto.metrics.v1.metrics_pb2 import ExponentialHistogramDataPoint, HistogramDataPoint

from otel_kit.dev.model import Distribution
from otel_kit.dev.numbers import finite

__all__ = ["from_explicit", "from_exponential"]

Bucket = tuple[float, float, float]


def from_explicit(point: HistogramDataPoint) -> Distribution | None:
    """A histogram with explicit bounds; None when it counted nothing.

    Raises:
        ValueError: when counts and bounds do not fit together, or a number is not finite.
    """
    bounds, counts = list(point.explicit_bounds), list(point.bucket_counts)
    if counts and len(counts) != len(bounds) + 1:
        raise ValueError(f"{len(counts)} bucket counts for {len(bounds)} bounds")
    if bounds != sorted(bounds) or not all(math.isfinite(b) for b in bounds):
        raise ValueError("the bounds are not ascending numbers")
    if counts and sum(counts) != point.count:
        raise ValueError(f"the bucket counts add up to {sum(counts)}, the count says {point.count}")
    low = point.min if point.HasField("min") else None
    high = point.max if point.HasField("max") else None
    edges = [-math.inf, *bounds, math.inf]
    raw = [(edges[i], edges[i + 1], float(n)) for i, n in enumerate(counts or [point.count]) if n]
    return _build(raw, point.count, point.sum if point.HasField("sum") else None, low, high)


def from_exponential(point: ExponentialHistogramDataPoint) -> Distribution | None:
    """A histogram with exponential buckets; None when it counted nothing.

    Raises:
        ValueError: when the counts do not fit together, or a number is not finite.
    """
    raw = list(_exponential_buckets(point))
    total = sum(n for _, _, n in raw)
    if total != point.count:
        raise ValueError(f"the bucket counts add up to {total:g}, the count says {point.count}")
    low = point.min if point.HasField("min") else None
    high = point.max if point.HasField("max") else None
    return _build(raw, point.count, point.sum if point.HasField("sum") else None, low, high)


def _exponential_buckets(point: ExponentialHistogramDataPoint) -> Iterator[Bucket]:
    def edge(index: int) -> float:
        try:
            return math.pow(2.0, index * math.pow(2.0, -point.scale))
        except OverflowError:
            return math.inf

    negative, positive = point.negative, point.positive
    for i in reversed(range(len(negative.bucket_counts))):
        if negative.bucket_counts[i]:
            index = negative.offset + i
            yield -edge(index + 1), -edge(index), float(negative.bucket_counts[i])
    if point.zero_count:
        yield -point.zero_threshold, point.zero_threshold, float(point.zero_count)
    for i, n in enumerate(positive.bucket_counts):
        if n:
            yield edge(positive.offset + i), edge(positive.offset + i + 1), float(n)


def _build(
    raw: Sequence[Bucket], count: int, total: float | None, low: float | None, high: float | None
) -> Distribution | None:
    if not count:
        return None
    for name, known in (("sum", total), ("min", low), ("max", high)):
        if known is not None and finite(known) is None:
            raise ValueError(f"the {name} is {known}")
    mean = total / count if total is not None else None
    buckets = tuple(_finite(bucket, low, high, mean) for bucket in raw)
    # Without a sum (negative values are allowed) Datadog's sketch has only the buckets as well.
    middle = sum((a + b) / 2 * n for a, b, n in buckets)
    found = Distribution(
        count=float(count),
        sum=middle if total is None else total,
        min=buckets[0][0] if low is None else low,
        max=buckets[-1][1] if high is None else high,
        buckets=buckets,
    )
    if any(finite(number) is None for number in (found.sum, *(n for bucket in buckets for n in bucket))):
        raise ValueError("the bounds of its buckets are no finite numbers")
    return found


def _finite(bucket: Bucket, low: float | None, high: float | None, mean: float | None) -> Bucket:
    """Narrow a bucket by the exact extremes; an open end without one collapses onto the other edge."""
    start, end, n = bucket
    start = start if low is None else min(max(start, low), end)
    end = end if high is None else max(min(end, high), start)
    if math.isinf(start) and math.isinf(end):
        start = end = mean or 0.0
    elif math.isinf(start):
        start = end
    elif math.isinf(end):
        end = start
    return start, end, n

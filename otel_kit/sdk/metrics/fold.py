"""Adds many measurements at once to an aggregation of the SDK, which by itself takes them one by one.

The sums and buckets here are those of `opentelemetry.sdk.metrics._internal.aggregation`; everything else that
an aggregation does (temporality, points, resets) stays its own.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any, Final

from opentelemetry.context import Context
from opentelemetry.sdk.metrics._internal.aggregation import (
    _DropAggregation,
    _ExplicitBucketHistogramAggregation,
    _ExponentialBucketHistogramAggregation,
    _SumAggregation,
)
from opentelemetry.trace import NonRecordingSpan, SpanContext, set_span_in_context

__all__ = ["FOLDABLE", "Sampled", "add", "offer"]


#: A measurement that may become an exemplar: value, nanoseconds since the epoch, and its span; the whole
#: context would keep a request in memory.
Sampled = tuple[float, int, SpanContext]


class _Value:
    """As much of the SDK's measurement as an aggregation looks at."""

    __slots__ = ("value",)

    def __init__(self, value: float) -> None:
        self.value = value


def add(aggregation: Any, values: Sequence[float]) -> None:
    """Add all `values`; what is no number to calculate with raises, and nothing is added."""
    kind = type(aggregation)
    if kind is _SumAggregation:
        total = sum(values)
        with aggregation._lock:
            aggregation._value = total if aggregation._value is None else aggregation._value + total
    elif kind is _ExplicitBucketHistogramAggregation:
        _add_to_histogram(aggregation, values)
    elif kind is _ExponentialBucketHistogramAggregation:
        for value in values:
            aggregation.aggregate(_Value(value), False)


def _add_to_histogram(aggregation: Any, values: Sequence[float]) -> None:
    bounds = aggregation._boundaries
    total, least, most = sum(values), min(values), max(values)
    with aggregation._lock:
        counts = aggregation._value
        if counts is None:
            counts = aggregation._value = aggregation._get_empty_bucket_counts()
        for value in values:
            counts[bisect_left(bounds, value)] += 1
        aggregation._sum += total
        if aggregation._record_min_max:
            aggregation._min = min(aggregation._min, least)
            aggregation._max = max(aggregation._max, most)


def offer(aggregation: Any, sampled: Sequence[Sampled], attributes: Mapping[str, Any]) -> None:
    """Offer to its reservoir what it would keep of all these: the last ones, of a histogram one a bucket."""
    if type(aggregation) is _ExplicitBucketHistogramAggregation:
        bounds = aggregation._boundaries
        chosen: Sequence[Sampled] = list({bisect_left(bounds, one[0]): one for one in sampled}.values())
    else:
        chosen = sampled[-aggregation._reservoir._size :]
    for value, time, span in chosen:
        context = set_span_in_context(NonRecordingSpan(span), Context())
        aggregation._reservoir.offer(value, time, attributes, context)


#: Aggregations that `add` knows; all others are the SDK's own business.
FOLDABLE: Final = frozenset(
    {
        _SumAggregation,
        _ExplicitBucketHistogramAggregation,
        _ExponentialBucketHistogramAggregation,
        _DropAggregation,
    }
)

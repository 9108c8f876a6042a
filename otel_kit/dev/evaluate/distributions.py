"""Merge distributions, and read averages and percentiles from what comes out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from otel_kit.dev.model import Distribution

__all__ = ["merged", "percentile"]


def merged(parts: Iterable[Distribution]) -> Distribution:
    """The distribution of all values together: totals stay exact. `parts` must not be empty."""
    found = list(parts)
    buckets: Counter[tuple[float, float]] = Counter()
    for part in found:
        for low, high, count in part.buckets:
            buckets[low, high] += count  # type: ignore[assignment] # a Counter takes floats as well
    return Distribution(
        count=sum(part.count for part in found),
        sum=sum(part.sum for part in found),
        min=min(part.min for part in found),
        max=max(part.max for part in found),
        buckets=tuple((low, high, float(count)) for (low, high), count in sorted(buckets.items())),
    )


def percentile(distribution: Distribution, percent: float) -> float:
    """The value below which `percent` of the values lie, values being spread evenly within a bucket."""
    wanted = distribution.count * percent / 100
    edges = sorted({edge for low, high, _ in distribution.buckets for edge in (low, high)})
    below_previous, previous = 0.0, edges[0]
    for edge in edges:
        below = _below(distribution, edge)
        if below >= wanted:
            share = (wanted - below_previous) / (below - below_previous) if below > below_previous else 1.0
            # A bucket without width holds all its values at one point.
            value = (
                edge if _at(distribution, edge) >= below - wanted else previous + share * (edge - previous)
            )
            return min(max(value, distribution.min), distribution.max)
        below_previous, previous = below, edge
    return distribution.max


def _below(distribution: Distribution, value: float) -> float:
    """How many values lie at or below `value`."""
    total = 0.0
    for low, high, count in distribution.buckets:
        if high <= value:
            total += count
        elif low < value:
            total += count * (value - low) / (high - low)
    return total


def _at(distribution: Distribution, value: float) -> float:
    return sum(count for low, high, count in distribution.buckets if low == high == value)

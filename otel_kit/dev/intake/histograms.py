"""One point of a histogram -> the points Datadog keeps of it, by the mode the sender chose. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from opentelemetry.proto.metrics.v1.metrics_pb2 import ExponentialHistogramDataPoint, HistogramDataPoint

from otel_kit.dev.intake.attributes import tag
from otel_kit.dev.intake.metric_config import MetricConfig
from otel_kit.dev.intake.sketches import from_explicit, from_exponential
from otel_kit.dev.model import Distribution, MetricType, Point

__all__ = ["HistogramPoint", "histogram_points", "read_histogram"]


class HistogramPoint(NamedTuple):
    """A histogram point, ready to be turned into Datadog's."""

    name: str
    tags: tuple[str, ...]
    distribution: Distribution
    exponential: bool


def read_histogram(point: HistogramDataPoint | ExponentialHistogramDataPoint) -> Distribution | None:
    """The distribution of a point; None when it counted nothing; ValueError when it contradicts itself."""
    if isinstance(point, HistogramDataPoint):
        return from_explicit(point)
    return from_exponential(point)


def histogram_points(
    found: HistogramPoint, point: HistogramDataPoint | ExponentialHistogramDataPoint, config: MetricConfig
) -> Iterator[Point]:
    """A distribution, or counts per bucket, or neither; beside them ``.count .sum .min .max`` when asked for.

    Exponential histograms are distributions in every mode, as in Datadog's translator.
    """
    name, tags, distribution, exponential = found
    if exponential or config.histograms_mode == "distributions":
        yield Point(name, "distribution", tags, point.time_unix_nano, None, distribution)
    elif config.histograms_mode == "counters" and isinstance(point, HistogramDataPoint):
        yield from _bucket_counts(found, point)
    if config.send_aggregation_metrics:
        aggregates: tuple[tuple[str, MetricType, float, bool], ...] = (
            ("count", "count", distribution.count, True),
            ("sum", "count", distribution.sum, True),
            ("min", "gauge", distribution.min, point.HasField("min")),
            ("max", "gauge", distribution.max, point.HasField("max")),
        )
        for suffix, kind, value, known in aggregates:
            if known:
                yield Point(f"{name}.{suffix}", kind, tags, point.time_unix_nano, value, None)


def _bucket_counts(found: HistogramPoint, point: HistogramDataPoint) -> Iterator[Point]:
    edges = ["-inf", *(f"{bound:g}" for bound in point.explicit_bounds), "inf"]
    for i, count in enumerate(point.bucket_counts):
        bounds = (tag("lower_bound", edges[i]), tag("upper_bound", edges[i + 1]))
        tags = tuple(sorted({*found.tags, *bounds}))
        yield Point(f"{found.name}.bucket", "count", tags, point.time_unix_nano, float(count), None)

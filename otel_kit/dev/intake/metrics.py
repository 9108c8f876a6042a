"""OTLP metrics -> the points that Datadog's direct OTLP intake keeps. Pure.

The intake takes delta temporality only. A non-monotonic cumulative sum stays: it is the current value of an
UpDownCounter, which SDKs keep cumulative also when delta is preferred, and Datadog makes a gauge of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final, Protocol

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    DataPointFlags,
    Metric,
    NumberDataPoint,
    SummaryDataPoint,
)

from otel_kit.dev.intake.attributes import Resource, attributes_of, metric_name, read_resource, tag
from otel_kit.dev.intake.histograms import HistogramPoint, histogram_points, read_histogram
from otel_kit.dev.intake.metric_config import MetricConfig
from otel_kit.dev.model import Loss, MetricType, Point
from otel_kit.dev.numbers import finite

__all__ = ["map_metrics"]

_DELTA: Final = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
_CUMULATIVE: Final = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
_NO_VALUE: Final = DataPointFlags.DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK
_MAX_SECOND: Final = 2**33


def map_metrics(request: ExportMetricsServiceRequest, config: MetricConfig) -> tuple[list[Point], list[Loss]]:
    """Points in the order they came, and what was refused, by reason and metric."""
    mapper = _Mapper(config)
    for group in request.resource_metrics:
        resource = read_resource(group.resource.attributes)
        for scope in group.scope_metrics:
            mapper.enter(resource, scope.scope)
            for metric in scope.metrics:
                mapper.add(metric)
    return mapper.points, [Loss("metrics", reason, n) for reason, n in mapper.refused.items()]


class _Tagged(Protocol):
    @property
    def attributes(self) -> Iterable[KeyValue]: ...


class _Mapper:
    def __init__(self, config: MetricConfig) -> None:
        self._config = config
        self._base: tuple[str, ...] = ()
        self.points: list[Point] = []
        self.refused: Counter[str] = Counter()

    def enter(self, resource: Resource, scope: InstrumentationScope) -> None:
        base = list(resource.mapped_tags)
        if self._config.resource_attributes_as_tags:
            base += resource.all_tags
        if self._config.instrumentation_scope_metadata_as_tags:
            base.append(tag("instrumentation_scope", scope.name))
            base.append(tag("instrumentation_scope_version", scope.version))
        self._base = tuple(base)

    def add(self, metric: Metric) -> None:
        name, kind = metric_name(metric.name), metric.WhichOneof("data")
        if not name:
            self._refuse(metric, f"the name {metric.name!r} has no letter to start with")
        elif kind == "gauge":
            self._numbers(metric, name, "gauge", metric.gauge.data_points)
        elif kind == "sum":
            self._sum(metric, name)
        elif kind in {"histogram", "exponential_histogram"}:
            self._histogram(metric, name)
        elif kind == "summary":
            self._summary(metric, name)

    def _sum(self, metric: Metric, name: str) -> None:
        data = metric.sum
        if data.aggregation_temporality == _DELTA:
            self._numbers(metric, name, "count", data.data_points)
        elif data.aggregation_temporality == _CUMULATIVE and not data.is_monotonic:
            self._numbers(metric, name, "gauge", data.data_points)
        else:
            self._refuse(metric, "a cumulative sum: Datadog's OTLP intake takes delta only")

    def _numbers(
        self, metric: Metric, name: str, kind: MetricType, points: Iterable[NumberDataPoint]
    ) -> None:
        for point in points:
            value = float(point.as_int) if point.WhichOneof("value") == "as_int" else point.as_double
            if not self._is_timed(metric, point.time_unix_nano) or point.flags & _NO_VALUE:
                continue
            if finite(value) is None:
                self._lose(metric, f"the value {value} is no number")
                continue
            self.points.append(Point(name, kind, self._tags(point), point.time_unix_nano, value, None))

    def _histogram(self, metric: Metric, name: str) -> None:
        exponential = metric.WhichOneof("data") == "exponential_histogram"
        data = metric.exponential_histogram if exponential else metric.histogram
        if data.aggregation_temporality != _DELTA:
            self._refuse(metric, "a cumulative histogram: Datadog's OTLP intake takes delta only")
            return
        for point in data.data_points:
            if not self._is_timed(metric, point.time_unix_nano) or point.flags & _NO_VALUE:
                continue
            try:
                distribution = read_histogram(point)
            except ValueError as error:
                self._lose(metric, f"a malformed histogram: {error}")
                continue
            if distribution is not None:
                self.points += histogram_points(
                    HistogramPoint(name, self._tags(point), distribution, exponential), point, self._config
                )

    def _summary(self, metric: Metric, name: str) -> None:
        for point in metric.summary.data_points:
            if not self._is_timed(metric, point.time_unix_nano):
                continue
            self._lose(
                metric,
                "the count and sum of a summary are cumulative: Datadog's OTLP intake takes delta only",
            )
            if self._config.summaries_mode == "gauges":
                self.points += _quantiles(name, self._tags(point), point)

    def _is_timed(self, metric: Metric, time_unix_nano: int) -> bool:
        usable = 0 < time_unix_nano // 1_000_000_000 < _MAX_SECOND
        if not usable:
            self._lose(metric, "the point has no usable timestamp")
        return usable

    def _tags(self, point: _Tagged) -> tuple[str, ...]:
        own = (tag(key, value) for key, value in attributes_of(point.attributes).items())
        return tuple(sorted({*self._base, *own}))

    def _lose(self, metric: Metric, reason: str) -> None:
        self.refused[f"{metric.name}: {reason}"] += 1

    def _refuse(self, metric: Metric, reason: str) -> None:
        data = getattr(metric, metric.WhichOneof("data") or "gauge")
        self.refused[f"{metric.name}: {reason}"] += len(data.data_points)


def _quantiles(name: str, tags: tuple[str, ...], point: SummaryDataPoint) -> Iterator[Point]:
    for quantile in point.quantile_values:
        if finite(quantile.value) is not None:
            own = tuple(sorted({*tags, tag("quantile", quantile.quantile)}))
            yield Point(f"{name}.quantile", "gauge", own, point.time_unix_nano, quantile.value, None)

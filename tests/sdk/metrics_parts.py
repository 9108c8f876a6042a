"""What the tests of metrics share: readers, a provider without a network, and what was collected."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opentelemetry.sdk import metrics as sdk
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader
from opentelemetry.sdk.resources import Resource

from otel_kit.sdk.metrics.provider import KitMeterProvider

__all__ = ["DELTA", "points", "provider", "reader", "values"]

KINDS = (sdk.Counter, sdk.Histogram, sdk.UpDownCounter, sdk.ObservableCounter)
DELTA: dict[type, AggregationTemporality] = dict.fromkeys(KINDS, AggregationTemporality.DELTA)


def reader(**more: Any) -> InMemoryMetricReader:
    """A foreign reader that asks for delta."""
    return InMemoryMetricReader(preferred_temporality=DELTA, **more)


def provider(*readers: Any, **more: Any) -> KitMeterProvider:
    """Ours, with these readers."""
    return KitMeterProvider(readers, Resource({}), shutdown_on_exit=False, **more)


def points(read: InMemoryMetricReader) -> Iterator[tuple[str, Any, Any]]:
    """Name, data and point of each point of one collection."""
    data = read.get_metrics_data()
    for resource in data.resource_metrics if data is not None else ():
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                for point in metric.data.data_points:
                    yield metric.name, metric.data, point


def values(read: InMemoryMetricReader, name: str) -> dict[tuple[Any, ...], Any]:
    """Attributes -> value or count of one metric."""
    return {
        tuple(sorted(point.attributes.items())): getattr(point, "value", getattr(point, "count", None))
        for found, _, point in points(read)
        if found == name
    }

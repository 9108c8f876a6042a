"""Metrics of one name in one scope get a second each; all others stay together."""

from __future__ import annotations

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricsData

from otel_kit.sdk.metrics.rounds import rounds


def collected(*units: str) -> MetricsData:
    """Counters of one name in a scope, one for each unit, beside one of that name in another scope."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    for unit in units:
        provider.get_meter("shop").create_counter("orders", unit=unit).add(1)
    provider.get_meter("other").create_counter("orders").add(1)
    data = reader.get_metrics_data()
    assert data is not None
    return data


def inside(data: MetricsData) -> list[tuple[str, str, str | None]]:
    return [
        (scope.scope.name, metric.name, metric.unit)
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    ]


def test_a_usual_collection_stays_as_it_is() -> None:
    data = collected("1")
    (part,) = rounds(data)
    assert part is data


def test_metrics_of_one_name_are_parted_and_none_is_lost() -> None:
    parts = [inside(part) for part in rounds(collected("1", "{order}", "s"))]
    assert parts == [
        [("shop", "orders", "1"), ("other", "orders", "")],
        [("shop", "orders", "{order}")],
        [("shop", "orders", "s")],
    ]

"""Splits a collection whose metrics Datadog would take for one another.

It tells metrics apart by name, scope and attributes: not by unit, description or the attributes of the scope,
as OpenTelemetry does. Of two counters ``orders`` of one meter, with the units ``1`` and ``{order}``, it would
keep the later point of each second. So the second one goes in a part of its own, for a second of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricsData

__all__ = ["rounds"]


def rounds(data: MetricsData) -> Iterator[MetricsData]:
    """The collection in parts of which none has two metrics of one name; nearly always as it is."""
    times = Counter(
        _to_datadog(scope, metric)
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    )
    most = max(times.values(), default=1)
    if most == 1:
        yield data
        return
    for number in range(most):
        yield _round(data, number)


def _to_datadog(scope: Any, metric: Any) -> tuple[str, str | None, str]:
    """What a metric is the same by."""
    return scope.scope.name, scope.scope.version, metric.name


def _round(data: MetricsData, number: int) -> MetricsData:
    """The metrics of which `number` others with the same name came before."""
    before: Counter[Any] = Counter()

    def metrics(scope: Any) -> list[Any]:
        chosen = []
        for metric in scope.metrics:
            key = _to_datadog(scope, metric)
            if before[key] == number:
                chosen.append(metric)
            before[key] += 1
        return chosen

    return replace(
        data,
        resource_metrics=[
            replace(
                resource,
                scope_metrics=[replace(scope, metrics=metrics(scope)) for scope in resource.scope_metrics],
            )
            for resource in data.resource_metrics
        ],
    )

"""Reads OTLP requests back into what a test wants to see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_DELTA

from otel_kit.sdk.testing.items import Event, Link, Log, Metric, Point, Span

__all__ = ["logs", "metrics", "spans"]

_KINDS: Final = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
_STATUS: Final = ("UNSET", "OK", "ERROR")


def spans(bodies: Iterable[bytes]) -> list[Span]:
    """The spans of these requests, by their start."""
    found = [
        _span(span, group.scope.name, _attributes(resource.resource.attributes))
        for body in bodies
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for group in resource.scope_spans
        for span in group.spans
    ]
    return sorted(found, key=lambda span: span.start)


def metrics(bodies: Iterable[bytes]) -> list[Metric]:
    """The metrics of these requests, with one point for each set of attributes."""
    series: dict[tuple[str, str, str, str], dict[str, Point]] = {}
    for body in bodies:
        for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            for group in resource.scope_metrics:
                for metric in group.metrics:
                    kind = str(metric.WhichOneof("data"))
                    points = series.setdefault((metric.name, metric.unit, kind, group.scope.name), {})
                    _merge(points, getattr(metric, kind), kind)
    return [
        Metric(name=name, unit=unit, kind=kind, scope=scope, points=list(points.values()))
        for (name, unit, kind, scope), points in series.items()
    ]


def _merge(points: dict[str, Point], data: Any, kind: str) -> None:
    """Deltas add up; a gauge, or a sum that can fall, is what it was at last."""
    delta = getattr(data, "aggregation_temporality", 0) == AGGREGATION_TEMPORALITY_DELTA
    for point in _points(data, kind):
        key = repr(sorted(point.attributes.items()))
        before = points.get(key)
        if delta and before is not None:
            point = replace(point, value=before.value + point.value, count=before.count + point.count)
        points[key] = point


def logs(bodies: Iterable[bytes]) -> list[Log]:
    """The log records of these requests, in the order in which they were written."""
    return [
        Log(
            body=_value(record.body),
            severity=record.severity_text,
            logger=group.scope.name,
            trace_id=record.trace_id.hex() or None,
            span_id=record.span_id.hex() or None,
            attributes=_attributes(record.attributes),
            time=record.time_unix_nano,
        )
        for body in bodies
        for resource in ExportLogsServiceRequest.FromString(body).resource_logs
        for group in resource.scope_logs
        for record in group.log_records
    ]


def _span(span: Any, scope: str, resource: dict[str, Any]) -> Span:
    return Span(
        name=span.name,
        kind=_KINDS[span.kind],
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex() or None,
        start=span.start_time_unix_nano,
        end=span.end_time_unix_nano,
        status=_STATUS[span.status.code],
        message=span.status.message,
        attributes=_attributes(span.attributes),
        events=[
            Event(name=e.name, attributes=_attributes(e.attributes), time=e.time_unix_nano)
            for e in span.events
        ],
        links=[
            Link(
                trace_id=link.trace_id.hex(),
                span_id=link.span_id.hex(),
                attributes=_attributes(link.attributes),
            )
            for link in span.links
        ],
        scope=scope,
        resource=resource,
    )


def _points(data: Any, kind: str) -> Iterator[Point]:
    for point in data.data_points:
        if kind in ("sum", "gauge"):
            value = getattr(point, str(point.WhichOneof("value")))
            yield Point(attributes=_attributes(point.attributes), value=value, count=0)
        else:
            yield Point(attributes=_attributes(point.attributes), value=point.sum, count=point.count)


def _attributes(pairs: Iterable[Any]) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    return getattr(value, kind) if kind else None

"""OTLP/JSON by hand: small requests, as a sender other than the SDK would write them."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]
KEY = {"dd-api-key": "any"}


def attributes(values: Mapping[str, str]) -> list[Json]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in values.items()]


def resource(values: Mapping[str, str]) -> Json:
    return {"attributes": attributes(values)}


def spans(trace_id: str, span_id: str, *, service: str = "s") -> Json:
    """One span, a millisecond long, that ends now."""
    now = time.time_ns()
    span = {
        "traceId": trace_id,
        "spanId": span_id,
        "name": "n",
        "kind": 1,
        "startTimeUnixNano": str(now - 1_000_000),
        "endTimeUnixNano": str(now),
    }
    sender = resource({"service.name": service})
    return {"resourceSpans": [{"resource": sender, "scopeSpans": [{"spans": [span]}]}]}


def metrics(found: Sequence[Json], sender: Json | None = None) -> Json:
    scope = {"name": "scope", "version": "1.0"}
    sender = sender or resource({"service.name": "s"})
    return {
        "resourceMetrics": [{"resource": sender, "scopeMetrics": [{"scope": scope, "metrics": list(found)}]}]
    }


def counts(
    name: str,
    value: float,
    *,
    at: int | None = None,
    temporality: int = 1,
    tags: Mapping[str, str] | None = None,
) -> Json:
    """A monotonic sum with one point."""
    point = {
        "asDouble": value,
        "timeUnixNano": str(at or time.time_ns()),
        "attributes": attributes(tags or {}),
    }
    return {
        "name": name,
        "sum": {"aggregationTemporality": temporality, "isMonotonic": True, "dataPoints": [point]},
    }


def histogram(
    name: str,
    values: Sequence[float],
    *,
    bounds: Sequence[float] = (),
    at: int | None = None,
    temporality: int = 1,
    tags: Mapping[str, str] | None = None,
) -> Json:
    """A histogram with one point that counted `values`."""
    buckets = [0] * (len(bounds) + 1)
    for value in values:
        buckets[bisect_left(bounds, value)] += 1
    point = {
        "count": str(len(values)),
        "sum": sum(values),
        "min": min(values),
        "max": max(values),
        "explicitBounds": list(bounds),
        "bucketCounts": [str(n) for n in buckets],
        "timeUnixNano": str(at or time.time_ns()),
        "attributes": attributes(tags or {}),
    }
    return {"name": name, "histogram": {"aggregationTemporality": temporality, "dataPoints": [point]}}


def log_lines(lines: Sequence[tuple[Any, str, int, str]], sender: Json) -> Json:
    """Lines of (body, severity text, severity number, trace id), a millisecond apart."""
    now = time.time_ns()
    records = []
    for number, (body, text, severity, trace_id) in enumerate(lines):
        value = {"stringValue": body} if isinstance(body, str) else _map(body)
        records.append(
            {
                "timeUnixNano": str(now + number * 1_000_000),
                "severityText": text,
                "severityNumber": severity,
                "body": value,
                "traceId": trace_id,
                "attributes": attributes({"k": "v"}),
            }
        )
    return {"resourceLogs": [{"resource": sender, "scopeLogs": [{"logRecords": records}]}]}


def _map(body: Mapping[str, int]) -> Json:
    return {"kvlistValue": {"values": [{"key": k, "value": {"intValue": str(v)}} for k, v in body.items()]}}

"""Sends one span, one metric point and one log record, and says what answered."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, Final

from otel_kit.sdk.delivery.senders import make_sender
from otel_kit.sdk.delivery.tally import Signal
from otel_kit.sdk.doctor.finding import Finding

if TYPE_CHECKING:
    from otel_kit.sdk.config.settings import Settings
    from otel_kit.sdk.config.targets import Target
    from otel_kit.sdk.delivery.outbox import Outcome

__all__ = ["METRIC", "NAME", "send"]

NAME: Final = "otel-kit doctor"
METRIC: Final = "otel_kit.doctor"
#: Seconds for one request; the collector is near.
PATIENCE: Final = 5.0
_ITEM: Final[dict[Signal, str]] = {"traces": "span", "metrics": "metric point", "logs": "log record"}
_ADVICE: Final = {
    "400": "the collector does not understand the request; is it behind a proxy that changes it?",
    "401": "give the key or token that it wants by OTEL_EXPORTER_OTLP_HEADERS",
    "403": "give the key or token that it wants by OTEL_EXPORTER_OTLP_HEADERS",
    "404": "there is no OTLP receiver at this path; OTEL_EXPORTER_OTLP_ENDPOINT takes the URL without "
    "/v1/..., that of a single signal takes all of it",
    "405": "there is no OTLP receiver at this path; correct the endpoint",
    "413": "the receiver takes only smaller requests; raise its max_request_body_size",
    "429": "the collector has too much to do; give it more memory or more replicas",
    "503": "the collector is there but cannot take it: its memory limit, or what stands behind it",
    "UNAUTHENTICATED": "give the key or token that it wants by OTEL_EXPORTER_OTLP_HEADERS",
    "PERMISSION_DENIED": "give the key or token that it wants by OTEL_EXPORTER_OTLP_HEADERS",
    "UNIMPLEMENTED": "it speaks gRPC but takes no OTLP of this signal; look at the collector's pipelines",
    "RESOURCE_EXHAUSTED": "the collector has too much to do; give it more memory or more replicas",
    "no OTLP answer": "a web page answered, of a proxy or a login; correct the endpoint",
    "TimeoutError": "the server is there but does not answer in time; look at its load",
}


def send(settings: Settings, signal: Signal, target: Target) -> Finding:
    """Send one item of this signal as the library would, but once, and without a queue."""
    sender = make_sender(signal, target)
    begin = time.monotonic()
    outcome = sender.send(_BODIES[signal](settings), min(PATIENCE, target.timeout))
    took = (time.monotonic() - begin) * 1000
    if outcome.verdict == "delivered" and not outcome.rejected:
        what = f"one {_ITEM[signal]} was taken by {target.shown} in {took:.0f} ms"
        return Finding(check=signal, status="ok", what=what)
    return Finding(
        check=signal,
        status="error",
        what=f"the {_ITEM[signal]} was not taken by {target.shown}: {_reason(outcome)}",
        fix=_ADVICE.get(outcome.why, "look at the log of the collector"),
    )


def _reason(outcome: Outcome) -> str:
    if outcome.verdict == "delivered":
        return f"it was rejected ({outcome.why or 'without a reason'})"
    return f"status {outcome.why}" if outcome.why.isdigit() else outcome.why


def _resource(message: Any, settings: Settings) -> None:
    for key, value in settings.resource.items():
        message.attributes.add(key=key).value.string_value = str(value)


def _scope(scope: Any) -> None:
    scope.name = "otel_kit.doctor"


def _span(settings: Settings) -> bytes:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add()
    _resource(spans.resource, settings)
    group = spans.scope_spans.add()
    _scope(group.scope)
    now = time.time_ns()
    group.spans.add(
        name=NAME,
        trace_id=os.urandom(16),
        span_id=os.urandom(8),
        kind="SPAN_KIND_INTERNAL",
        start_time_unix_nano=now - 1_000_000,
        end_time_unix_nano=now,
    )
    return request.SerializeToString()


def _point(settings: Settings) -> bytes:
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
    from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_DELTA

    request = ExportMetricsServiceRequest()
    metrics = request.resource_metrics.add()
    _resource(metrics.resource, settings)
    group = metrics.scope_metrics.add()
    _scope(group.scope)
    metric = group.metrics.add(name=METRIC, unit="{run}", description="Runs of otel-kit doctor.")
    now = time.time_ns()
    metric.sum.is_monotonic = True
    metric.sum.aggregation_temporality = AGGREGATION_TEMPORALITY_DELTA
    metric.sum.data_points.add(as_int=1, start_time_unix_nano=now - 1_000_000_000, time_unix_nano=now)
    return request.SerializeToString()


def _record(settings: Settings) -> bytes:
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

    request = ExportLogsServiceRequest()
    logs = request.resource_logs.add()
    _resource(logs.resource, settings)
    group = logs.scope_logs.add()
    _scope(group.scope)
    now = time.time_ns()
    record = group.log_records.add(
        time_unix_nano=now, observed_time_unix_nano=now, severity_text="INFO", severity_number=9
    )
    record.body.string_value = NAME
    return request.SerializeToString()


_BODIES: Final = {"traces": _span, "metrics": _point, "logs": _record}

"""Sends one span, one metric point and one log record, and says what answered."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_DELTA

from otel_kit.sdk.delivery.outbox import NO_ANSWER
from otel_kit.sdk.delivery.senders import make_sender
from otel_kit.sdk.delivery.tally import Signal
from otel_kit.sdk.doctor.finding import Finding

if TYPE_CHECKING:
    from otel_kit.sdk.config.settings import Settings
    from otel_kit.sdk.config.targets import Target
    from otel_kit.sdk.delivery.outbox import Outcome

__all__ = ["send"]

NAME: Final = "otel-kit doctor"
METRIC: Final = "otel_kit.doctor"
#: Seconds for one request; the collector is near.
PATIENCE: Final = 5.0
_ITEM: Final[dict[Signal, str]] = {"traces": "span", "metrics": "metric point", "logs": "log record"}
_REDIRECT: Final = (
    "a proxy or a login sends it elsewhere, which is not followed; give the collector's own URL"
)
_BEHIND: Final = "a proxy answered, and the collector behind it did not; look at both"
_ADVICE: Final = {
    "301": _REDIRECT,
    "302": _REDIRECT,
    "303": _REDIRECT,
    "307": _REDIRECT,
    "308": _REDIRECT,
    "400": "the collector does not understand the request; is it behind a proxy that changes it?",
    "401": "give the key or token that it wants by OTEL_EXPORTER_OTLP_HEADERS",
    "403": "give the key or token that it wants by OTEL_EXPORTER_OTLP_HEADERS",
    "404": "there is no OTLP receiver at this path; OTEL_EXPORTER_OTLP_ENDPOINT takes the URL without "
    "/v1/..., that of a single signal takes all of it",
    "405": "there is no OTLP receiver at this path; correct the endpoint",
    "413": "the receiver takes only smaller requests; raise its max_request_body_size",
    "415": "the server takes no protobuf, as a collector does; correct the endpoint",
    "429": "the collector has too much to do; give it more memory or more replicas",
    "502": _BEHIND,
    "504": _BEHIND,
    "503": "the collector is there but cannot take it: its memory limit, or what stands behind it",
    "UNAUTHENTICATED": "give the key or token that it wants by OTEL_EXPORTER_OTLP_HEADERS",
    "PERMISSION_DENIED": "give the key or token that it wants by OTEL_EXPORTER_OTLP_HEADERS",
    "UNIMPLEMENTED": "it speaks gRPC but takes no OTLP of this signal; look at the collector's pipelines",
    "RESOURCE_EXHAUSTED": "the collector has too much to do; give it more memory or more replicas",
    NO_ANSWER: "a web page answered, of a proxy or a login; correct the endpoint",
    "TimeoutError": "the server is there but does not answer in time; look at its load",
}


def send(settings: Settings, signal: Signal, target: Target) -> Finding:
    """Send one item of this signal as the library would, but once, and without a queue."""
    sender = make_sender(signal, target)
    begin = time.monotonic()
    outcome = sender.send(_body(signal, settings), min(PATIENCE, target.timeout))
    took = (time.monotonic() - begin) * 1000
    if outcome.verdict == "delivered" and outcome.why == NO_ANSWER:
        return Finding(
            check=signal,
            status="warning",
            what=f"{target.shown} said yes to one {_ITEM[signal]}, but not as a collector does",
            fix="look at what listens there: a server that says yes to everything loses everything",
        )
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


def _body(signal: Signal, settings: Settings) -> bytes:
    """A request with one item; the requests of all signals are alike but for the names of their fields."""
    request: Any = _REQUESTS[signal]()
    (field,) = request.DESCRIPTOR.fields
    group = getattr(request, field.name).add()
    for key, value in settings.resource.items():
        group.resource.attributes.add(key=key).value.string_value = str(value)
    (scopes,) = (f for f in group.DESCRIPTOR.fields if f.name.startswith("scope_"))
    scope = getattr(group, scopes.name).add()
    scope.scope.name = "otel_kit.doctor"
    _ITEMS[signal](scope, time.time_ns())
    return bytes(request.SerializeToString())


def _span(scope: Any, now: int) -> None:
    scope.spans.add(
        name=NAME,
        trace_id=os.urandom(16),
        span_id=os.urandom(8),
        kind="SPAN_KIND_INTERNAL",
        start_time_unix_nano=now - 1_000_000,
        end_time_unix_nano=now,
    )


def _point(scope: Any, now: int) -> None:
    metric = scope.metrics.add(name=METRIC, unit="{run}", description="Runs of otel-kit doctor.")
    metric.sum.is_monotonic = True
    metric.sum.aggregation_temporality = AGGREGATION_TEMPORALITY_DELTA
    metric.sum.data_points.add(as_int=1, start_time_unix_nano=now - 1_000_000_000, time_unix_nano=now)


def _record(scope: Any, now: int) -> None:
    record = scope.log_records.add(
        time_unix_nano=now, observed_time_unix_nano=now, severity_text="INFO", severity_number=9
    )
    record.body.string_value = NAME


_REQUESTS: Final[dict[Signal, type[Any]]] = {
    "traces": ExportTraceServiceRequest,
    "metrics": ExportMetricsServiceRequest,
    "logs": ExportLogsServiceRequest,
}
_ITEMS: Final = {"traces": _span, "metrics": _point, "logs": _record}

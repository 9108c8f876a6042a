"""One OTLP request, from its bytes to what is to be stored and answered. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.message import Message
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from otel_kit.conventions import HEADER_DD_API_KEY, HEADER_DD_METRIC_CONFIG
from otel_kit.dev.errors import Refusal
from otel_kit.dev.intake.compression import decompress
from otel_kit.dev.intake.decode import PROTOBUF, ContentType, content_type, decode, encode
from otel_kit.dev.intake.limits import LIMITS
from otel_kit.dev.intake.logs import map_logs
from otel_kit.dev.intake.metric_config import read_metric_config
from otel_kit.dev.intake.metrics import map_metrics
from otel_kit.dev.intake.spans import map_spans
from otel_kit.dev.model import Log, Loss, Point, Signal, Span

__all__ = ["Answer", "Received", "answer", "check_headers", "error_answer", "receive"]

# google.rpc.Code, which OTLP uses in the body of an error.
_RPC_CODES = {400: 3, 403: 7, 413: 8, 415: 3, 503: 14}


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What a request brought. `losses` are things refused or cut on the way in."""

    spans: Sequence[Span] = ()
    logs: Sequence[Log] = ()
    points: Sequence[Point] = ()
    losses: Sequence[Loss] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What goes back to the sender."""

    status: int
    body: bytes
    content_type: ContentType


def check_headers(headers: Mapping[str, str]) -> ContentType:
    """Refuse a request by its headers alone: 403 without a key, 415 for another encoding.

    The key is not looked at beyond that: any is accepted, and none is kept.
    """
    kind = content_type(headers.get("content-type", ""))
    if not headers.get(HEADER_DD_API_KEY, "").strip():
        raise Refusal(403, f"Forbidden: the header {HEADER_DD_API_KEY} is missing or empty")
    if headers.get("dd-otel-span-mapping"):
        raise Refusal(400, "the header dd-otel-span-mapping is not supported by the stand-in")
    return kind


def receive(signal: Signal, body: bytes, headers: Mapping[str, str], *, now_ns: int) -> Received:
    """Decode and map one request that arrived at `now_ns`.

    Raises:
        Refusal: 400, 413 or 415, with the reason.
    """
    kind = content_type(headers.get("content-type", ""))
    plain = decompress(body, headers.get("content-encoding", ""), LIMITS[signal].plain)
    if signal == "traces":
        spans, losses = map_spans(decode(plain, kind, ExportTraceServiceRequest()))
        return Received(spans=spans, losses=losses)
    if signal == "logs":
        logs, losses = map_logs(decode(plain, kind, ExportLogsServiceRequest()), now_ns)
        return Received(logs=logs, losses=losses)
    config = read_metric_config(headers.get(HEADER_DD_METRIC_CONFIG, ""))
    points, losses = map_metrics(decode(plain, kind, ExportMetricsServiceRequest()), config)
    return Received(points=points, losses=losses)


def answer(signal: Signal, received: Received, kind: ContentType) -> Answer:
    """200; with OTLP's partial success when something was refused, and 400 when everything was."""
    refused = sum(loss.count for loss in received.losses)
    message = "; ".join(f"{loss.reason} ({loss.count})" for loss in received.losses)[:2000]
    if refused and not (received.spans or received.logs or received.points):
        return error_answer(400, f"nothing was accepted: {message}", kind)
    response: Message
    if signal == "traces":
        traces = ExportTraceServiceResponse()
        if refused:
            traces.partial_success.rejected_spans = refused
            traces.partial_success.error_message = message
        response = traces
    elif signal == "metrics":
        metrics = ExportMetricsServiceResponse()
        if refused:
            metrics.partial_success.rejected_data_points = refused
            metrics.partial_success.error_message = message
        response = metrics
    else:
        logs = ExportLogsServiceResponse()
        # A cut line is accepted all the same: OTLP's zero rejections with a message is a warning.
        if message:
            logs.partial_success.error_message = message
        response = logs
    return Answer(status=200, body=encode(response, kind), content_type=kind)


def error_answer(status: int, message: str, kind: ContentType = PROTOBUF) -> Answer:
    """OTLP's error body: a google.rpc.Status in the encoding of the request."""
    body = Status(code=_RPC_CODES.get(status, 2), message=message)
    return Answer(status=status, body=encode(body, kind), content_type=kind)

"""Makes the sender that a target asks for, with its TLS set-up and its reading of partial success."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from otel_kit.sdk import under_test
from otel_kit.sdk.config.targets import Target
from otel_kit.sdk.delivery.outbox import NO_ANSWER, Sender
from otel_kit.sdk.delivery.send_http import HttpSender
from otel_kit.sdk.delivery.tally import Signal
from otel_kit.sdk.notes import LOGGER

if TYPE_CHECKING:
    import ssl

    import grpc

__all__ = ["make_sender"]

_METHODS: Final[dict[Signal, str]] = {
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "metrics": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
}


def make_sender(signal: Signal, target: Target) -> Sender:
    """A sender for one signal; files of certificates are read at once."""
    if under_test.active:
        from otel_kit.sdk.testing.memory import MEMORY

        return MEMORY.sender(signal)
    rejected = _rejected(signal)
    if target.protocol == "grpc":
        from otel_kit.sdk.delivery.send_grpc import GrpcSender

        return GrpcSender(
            target.url,
            method=_METHODS[signal],
            headers=target.headers,
            compress=target.compress,
            credentials=_credentials(target) if target.url.startswith("https://") else None,
            rejected=rejected,
        )
    return HttpSender(
        target.url,
        headers=target.headers,
        compress=target.compress,
        tls=_tls(target) if target.url.startswith("https://") else None,
        rejected=rejected,
    )


def _tls(target: Target) -> ssl.SSLContext:
    import ssl

    try:
        context = ssl.create_default_context(cafile=target.certificate)
        if target.client_chain:
            context.load_cert_chain(target.client_chain, target.client_key)
    except OSError as error:  # ssl.SSLError is one, too
        _complain(error)
        return ssl.create_default_context()
    return context


def _complain(error: OSError) -> None:
    LOGGER.warning(
        "otel-kit: a certificate of OTEL_EXPORTER_OTLP_* cannot be used, so it is left out: %s", error
    )


def _credentials(target: Target) -> Callable[[], grpc.ChannelCredentials]:
    def read(name: str | None) -> bytes | None:
        try:
            return Path(name).read_bytes() if name else None
        except OSError as error:
            _complain(error)
            return None

    ca, key, chain = read(target.certificate), read(target.client_key), read(target.client_chain)

    def make() -> grpc.ChannelCredentials:
        import grpc

        return grpc.ssl_channel_credentials(ca, key, chain)

    return make


def _rejected(signal: Signal) -> Callable[[bytes], tuple[int, str]]:
    """Reads ``partial_success``: a collector may answer 200 and still have taken only a part."""

    def read(body: bytes) -> tuple[int, str]:
        if not body:
            return 0, ""
        from google.protobuf.message import DecodeError
        from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
        from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

        try:
            if signal == "traces":
                spans = ExportTraceServiceResponse.FromString(body).partial_success
                return spans.rejected_spans, spans.error_message
            if signal == "metrics":
                points = ExportMetricsServiceResponse.FromString(body).partial_success
                return points.rejected_data_points, points.error_message
            records = ExportLogsServiceResponse.FromString(body).partial_success
            return records.rejected_log_records, records.error_message
        except DecodeError:  # taken, as far as anybody can tell
            return 0, NO_ANSWER

    return read

"""OTLP over gRPC: already encoded requests through one channel that is opened by the first of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from otel_kit.sdk.delivery.outbox import Outcome

if TYPE_CHECKING:
    import grpc

__all__ = ["GrpcSender"]

#: https://opentelemetry.io/docs/specs/otlp/#failures; RESOURCE_EXHAUSTED only counts with a RetryInfo.
_RETRYABLE: Final = frozenset(
    {"CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS"}
)
_OPTIONS: Final = (
    ("grpc.initial_reconnect_backoff_ms", 200),
    # gRPC's own limit is two minutes, in which a collector that is back stays unused.
    ("grpc.max_reconnect_backoff_ms", 5000),
    ("grpc.primary_user_agent", "otel-kit"),
    ("grpc.enable_http_proxy", 0),  # the collector is near, as over HTTP
)
#: Channels of a parent process: to collect one would close it, with threads that only the parent has.
_INHERITED: Final[list[object]] = []


class GrpcSender:
    """Calls ``Export`` of one OTLP service.

    Args:
        url: ``http://host:4317`` (plain) or ``https://host:4317`` (TLS).
        method: ``/opentelemetry.proto.collector.trace.v1.TraceService/Export`` and its siblings.
        headers: sent as metadata; never logged.
        compress: gzip the messages.
        credentials: makes the credentials of an ``https`` URL.
        rejected: reads from an answer how many items were not taken, and why.
    """

    def __init__(
        self,
        url: str,
        *,
        method: str,
        headers: Mapping[str, str],
        compress: bool,
        credentials: Callable[[], grpc.ChannelCredentials] | None,
        rejected: Callable[[bytes], tuple[int, str]],
    ) -> None:
        parts = urlsplit(url)
        self._target = parts.netloc
        self._credentials = credentials
        self._method = method
        self._compress = compress
        self._metadata = tuple((key.lower(), value) for key, value in headers.items())
        self._rejected = rejected
        self._call: Any = None

    def reset(self) -> None:
        """Forget the channel of the parent process; its threads do not exist here."""
        if self._call is not None:
            _INHERITED.append(self._call)
        self._call = None

    def send(self, body: bytes, timeout: float) -> Outcome:
        """One call."""
        import grpc

        if self._call is None:
            self._call = self._open()
        try:
            answer = self._call(body, timeout=timeout, metadata=self._metadata)
        except grpc.RpcError as error:
            return _failure(error)
        items, why = self._rejected(answer)
        return Outcome(verdict="delivered", rejected=items, why=why)

    def _open(self) -> Any:
        import grpc

        compression = grpc.Compression.Gzip if self._compress else grpc.Compression.NoCompression
        if self._credentials is None:
            channel = grpc.insecure_channel(self._target, options=_OPTIONS, compression=compression)
        else:
            channel = grpc.secure_channel(
                self._target, self._credentials(), options=_OPTIONS, compression=compression
            )
        return channel.unary_unary(self._method, request_serializer=None, response_deserializer=None)


def _failure(error: Any) -> Outcome:
    code = error.code().name
    if code == "RESOURCE_EXHAUSTED" and _has_retry_info(error):
        return Outcome(verdict="retry", why=code)
    if code not in _RETRYABLE:
        return Outcome(verdict="refused", why=code)
    # Only a refused connection says so in its details; a black hole runs into the deadline.
    unreachable = code == "UNAVAILABLE" and "refused" in (error.details() or "").lower()
    return Outcome(verdict="retry", why=code, unreachable=unreachable)


def _has_retry_info(error: Any) -> bool:
    details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
    return b"google.rpc.RetryInfo" in details

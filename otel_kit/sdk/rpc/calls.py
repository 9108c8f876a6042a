"""What all gRPC instrumentations share: one span and one duration a call, names, status, context in metadata.

By the RPC semantic conventions (release candidate, https://opentelemetry.io/docs/specs/semconv/rpc/grpc/).
``rpc.system`` is the older name of ``rpc.system.name``: Datadog derives the operation
``grpc.server.request`` from it. The older ``rpc.service`` is left out on purpose: ``rpc.method`` holds the
whole name by now, and Datadog would make a resource ``pkg.Service/Method pkg.Service`` of both.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from opentelemetry import context as context_api
from opentelemetry import metrics, propagate, trace
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, Context
from opentelemetry.propagators.textmap import Getter
from opentelemetry.trace import SpanKind, StatusCode

from otel_kit import conventions
from otel_kit.sdk.notes import quietly
from otel_kit.sdk.spans import record_once, remember
from otel_kit.sdk.text import text_of, type_of

__all__ = ["Rpc", "Rpcs", "address", "code_name", "unrecorded"]

Metadata = Iterable[tuple[str, Any]]
#: https://opentelemetry.io/docs/specs/semconv/rpc/rpc-metrics/
BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
#: Codes by which a server admits a fault of its own; the others answer a fault of the caller.
SERVER_FAULTS: Final = frozenset(
    {"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"}
)
_UNRECORDED: Final = ("/grpc.health.v1.", "/grpc.reflection.")
_CODES: Final = (
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
)


def code_name(code: Any) -> str | None:
    """``NOT_FOUND`` from a ``grpc.StatusCode`` or the number that grpc.aio uses; None for None."""
    if code is None:
        return None
    if isinstance(code, int):
        return _CODES[code] if 0 <= code < len(_CODES) else "UNKNOWN"
    return str(code.name)


def unrecorded(method: str) -> bool:
    """Health checks and reflection, and whatever happens while instrumentation is suppressed."""
    return method.startswith(_UNRECORDED) or bool(context_api.get_value(_SUPPRESS_INSTRUMENTATION_KEY))


def address(kind: str, target: str) -> dict[str, str | int]:
    """``{kind}.address`` and ``{kind}.port`` of ``host:port``, ``dns:///host:port``, ``ipv4:1.2.3.4:5``."""
    scheme, colon, rest = target.partition(":")
    if colon and scheme in ("dns", "ipv4", "ipv6", "passthrough", "xds"):
        target = rest.rpartition("/")[2]
    if target.startswith("unix") or not target:
        return {f"{kind}.address": target} if target else {}
    host, _, port = target.rpartition(":")
    if not host or not port.isdigit():
        return {f"{kind}.address": target.strip("[]")}
    return {
        f"{kind}.address": host.replace("%5B", "").replace("%5D", "").strip("[]"),
        f"{kind}.port": int(port),
    }


class _MetadataGetter(Getter[Metadata]):
    def get(self, carrier: Metadata, key: str) -> list[str] | None:
        return [value for name, value in carrier if name == key and isinstance(value, str)] or None

    def keys(self, carrier: Metadata) -> list[str]:
        return [name for name, _ in carrier]


class Rpcs:
    """Begins calls of one kind.

    Args:
        kind: SERVER or CLIENT.
    """

    def __init__(self, kind: SpanKind) -> None:
        server = kind is SpanKind.SERVER
        self._kind = kind
        self._tracer = trace.get_tracer("otel_kit.grpc")
        self._duration = metrics.get_meter("otel_kit.grpc").create_histogram(
            conventions.RPC_SERVER_DURATION if server else conventions.RPC_CLIENT_DURATION,
            unit="s",
            description=f"Duration of gRPC calls, as the {'server' if server else 'client'} sees them.",
            explicit_bucket_boundaries_advisory=BUCKETS,
        )

    def serve(self, method: str, metadata: Metadata | None, peer: str) -> Rpc | None:
        """A call that has arrived, with the caller's context as parent; None where recording fails."""

        def begin() -> Rpc:
            parent = propagate.extract(tuple(metadata or ()), getter=_METADATA)
            return self._begin(method, parent, address("client", peer))

        return quietly("gRPC call", begin)

    def send(self, method: str, target: str) -> tuple[Rpc, dict[str, str]] | None:
        """A call that is about to be made, and what its metadata must carry; None where recording fails."""

        def begin() -> tuple[Rpc, dict[str, str]]:
            rpc = self._begin(method, context_api.get_current(), address("server", target))
            carrier: dict[str, str] = {}
            propagate.inject(carrier, rpc.context)
            return rpc, carrier

        return quietly("gRPC call", begin)

    def _begin(self, method: str, parent: Context, more: Mapping[str, str | int]) -> Rpc:
        name = method.lstrip("/")
        attributes: dict[str, str | int] = {
            "rpc.system.name": "grpc",
            "rpc.system": "grpc",
            "rpc.method": name,
            **more,
        }
        span = self._tracer.start_span(name, context=parent, kind=self._kind, attributes=attributes)
        return Rpc(span, trace.set_span_in_context(span, parent), self._duration, name, self._kind)


_METADATA: Final = _MetadataGetter()


class Rpc:
    """One call.

    Attributes:
        context: the context in which its span is current.
    """

    def __init__(
        self, span: trace.Span, context: Context, duration: metrics.Histogram, method: str, kind: SpanKind
    ) -> None:
        self.context = context
        self._span = span
        self._duration = duration
        self._method = method
        self._server = kind is SpanKind.SERVER
        self._begin = time.perf_counter()
        self._finished = False

    def finish(self, code: str, error: BaseException | None = None, details: str = "") -> None:
        """Record and end; only the first call does something.

        Args:
            code: name of the status code that goes over the wire.
            error: the exception with which a handler failed.
            details: the message beside the code, for the span.
        """
        if not self._finished:
            self._finished = True
            quietly("gRPC call", lambda: self._finish(code, error, details))

    def _finish(self, code: str, error: BaseException | None, details: str) -> None:
        took = time.perf_counter() - self._begin
        outcome = {"rpc.response.status_code": code}
        failed = code in SERVER_FAULTS if self._server else code != "OK"
        if failed:
            outcome["error.type"] = code if error is None else type_of(error)
        attributes = {"rpc.system.name": "grpc", "rpc.method": self._method, **outcome}
        try:
            self._duration.record(took, attributes, context=self.context)
            self._span.set_attributes(outcome)
            if failed:
                self._fail(error, details)
        finally:
            self._span.end()

    def _fail(self, error: BaseException | None, details: str) -> None:
        if error is not None:
            remember(self._span, error)
            record_once(self._span, error)
            details = details or text_of(error)
        self._span.set_status(StatusCode.ERROR, details or None)

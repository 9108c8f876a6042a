"""A small OTLP receiver for the tests: HTTP and gRPC, decodes protobuf, can be slow, full or away."""

from __future__ import annotations

import contextlib
import gzip
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.parts import free_port

Value = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanSeen:
    """One span."""

    name: str
    kind: int
    trace_id: str
    span_id: str
    parent_id: str
    status: int
    message: str
    attributes: dict[str, Value]
    resource: dict[str, Value]
    events: list[tuple[str, dict[str, Value]]]
    links: list[tuple[str, str]]
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PointSeen:
    """One data point; `value` is its value, or its count for a histogram, whose sum `total` is."""

    name: str
    attributes: dict[str, Value]
    resource: dict[str, Value]
    value: float
    time: int
    start: int
    temporality: int
    bounds: list[float]
    kind: str
    total: float

    @property
    def series(self) -> tuple[Any, ...]:
        """What Datadog tells series apart by."""
        return (self.name, *sorted(self.attributes.items()), self.resource["service.instance.id"])


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSeen:
    """One log record."""

    body: Value
    severity: str
    number: int
    scope: str
    time: int
    trace_id: str
    span_id: str
    attributes: dict[str, Value]
    resource: dict[str, Value]


@dataclass
class Seen:
    """All that arrived."""

    spans: list[SpanSeen] = field(default_factory=list)
    points: list[PointSeen] = field(default_factory=list)
    logs: list[LogSeen] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def named(self, name: str) -> list[PointSeen]:
        """The points of one metric."""
        return [p for p in self.points if p.name == name]

    def total(self, name: str, **attributes: Value) -> float:
        """What Datadog adds up: of two points of one series and second only the last counts."""
        last: dict[tuple[Any, ...], float] = {}
        for p in self.named(name):
            if all(p.attributes.get(k.replace("__", ".")) == v for k, v in attributes.items()):
                last[(*p.series, p.time // 10**9)] = p.value
        return sum(last.values())

    def server_spans(self) -> list[SpanSeen]:
        """Spans of kind SERVER."""
        return [s for s in self.spans if s.kind == 2]

    def bodies(self) -> list[Value]:
        """The bodies of all log records."""
        return [log.body for log in self.logs]


class Sink:
    """The receiver. `fail_with` answers each request with that status instead of taking it.

    With `reject`, that many spans of each request are refused by partial success. `pause` is the number of
    seconds that it takes for each request.
    """

    def __init__(self, port: int | None = None) -> None:
        self.port = port or free_port()
        self.seen = Seen()
        self.fail_with: int | None = None
        self.reject = 0
        self.pause = 0.0
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self.port}"

    def up(self) -> None:
        """Listen."""
        sink = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                status, answer = sink._take(self.path, body, dict(self.headers))
                self.send_response(status)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            allow_reuse_address = True
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that goes away in the middle is what some tests are about."""

        self._server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def down(self) -> None:
        """Refuse connections."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _take(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        time.sleep(self.pause)
        if self.fail_with is not None:
            return self.fail_with, b""
        with self._lock:
            self.seen.headers.append({k.lower(): v for k, v in headers.items()})
            if path.endswith("traces"):
                self.seen.spans += _spans(body)
                if self.reject:
                    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as pb

                    partial = pb.ExportTracePartialSuccess(
                        rejected_spans=self.reject, error_message="no room"
                    )
                    return 200, pb.ExportTraceServiceResponse(partial_success=partial).SerializeToString()
            elif path.endswith("metrics"):
                self.seen.points += _points(body)
            else:
                self.seen.logs += _logs(body)
        return 200, b""

    def serve_grpc(self) -> grpc.Server:
        """The same over gRPC, on the same port number."""
        sink = self

        class Services(grpc.GenericRpcHandler):  # type: ignore[type-arg]
            def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any]:
                signal = {"Trace": "traces", "Metri": "metrics", "LogsS": "logs"}
                path = signal[str(details.method).rpartition(".")[2][:5]]
                headers = {k: v for k, v in details.invocation_metadata if isinstance(v, str)}

                def export(body: bytes, _: grpc.ServicerContext) -> bytes:
                    return sink._take(path, body, headers)[1]

                return grpc.unary_unary_rpc_method_handler(export)

        server = grpc.server(ThreadPoolExecutor(4), handlers=[Services()])
        server.add_insecure_port(f"127.0.0.1:{self.port}")
        server.start()
        return server


@contextlib.contextmanager
def running_sink() -> Iterator[Sink]:
    """A sink that listens."""
    sink = Sink()
    sink.up()
    try:
        yield sink
    finally:
        sink.down()


def _value(value: Any) -> Value:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(v) for v in value.array_value.values]
    if kind == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    return getattr(value, kind) if kind else None


def _attributes(pairs: Sequence[Any]) -> dict[str, Value]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _spans(body: bytes) -> Iterator[SpanSeen]:
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield SpanSeen(
                    name=span.name,
                    kind=span.kind,
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    status=span.status.code,
                    message=span.status.message,
                    attributes=_attributes(span.attributes),
                    resource=_attributes(resource.resource.attributes),
                    events=[(event.name, _attributes(event.attributes)) for event in span.events],
                    links=[(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
                    end=span.end_time_unix_nano,
                )


def _points(body: bytes) -> Iterator[PointSeen]:
    for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                kind = str(metric.WhichOneof("data"))
                data: Any = getattr(metric, kind)
                for point in data.data_points:
                    histogram = hasattr(point, "count")
                    yield PointSeen(
                        name=metric.name,
                        attributes=_attributes(point.attributes),
                        resource=_attributes(resource.resource.attributes),
                        value=point.count if histogram else point.as_int or point.as_double,
                        time=point.time_unix_nano,
                        start=point.start_time_unix_nano,
                        temporality=getattr(data, "aggregation_temporality", 0),
                        bounds=list(getattr(point, "explicit_bounds", ())),
                        kind=kind,
                        total=getattr(point, "sum", 0.0),
                    )


def _logs(body: bytes) -> Iterator[LogSeen]:
    for resource in ExportLogsServiceRequest.FromString(body).resource_logs:
        for scope in resource.scope_logs:
            for log in scope.log_records:
                yield LogSeen(
                    body=_value(log.body),
                    severity=log.severity_text,
                    number=log.severity_number,
                    scope=scope.scope.name,
                    time=log.time_unix_nano,
                    trace_id=log.trace_id.hex(),
                    span_id=log.span_id.hex(),
                    attributes=_attributes(log.attributes),
                    resource=_attributes(resource.resource.attributes),
                )

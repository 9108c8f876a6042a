"""A place that OTLP/HTTP arrives at: it decodes and keeps, and can be away."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import zstandard
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric, NumberDataPoint
from opentelemetry.proto.trace.v1.trace_pb2 import Span

__all__ = ["Request", "Sink", "plain", "running"]


def plain(attributes: Any) -> dict[str, Any]:
    """Attributes as a dict of plain values."""
    return {item.key: _value(item.value) for item in attributes}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    return getattr(value, kind) if kind else None


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request as it came: its headers, and the number of its bytes before and after decompression."""

    path: str
    headers: dict[str, str]
    sizes: tuple[int, int]


@dataclass
class Sink:
    """All that arrived. Resources are joined to what they describe."""

    port: int
    requests: list[Request] = field(default_factory=list)
    spans: list[tuple[dict[str, Any], Span]] = field(default_factory=list)
    logs: list[tuple[dict[str, Any], LogRecord]] = field(default_factory=list)
    metrics: list[tuple[dict[str, Any], Metric]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def metric(self, name: str, **resource: Any) -> list[Metric]:
        """The metrics of a name, from resources that have these attributes (``__`` stands for a dot)."""
        wanted = {(key.replace("__", "."), value) for key, value in resource.items()}
        return [m for r, m in list(self.metrics) if m.name == name and wanted <= set(r.items())]

    def total(self, name: str, **resource: Any) -> int:
        """The sum of all delta points of a counter."""
        return sum(_number(p) for m in self.metric(name, **resource) for p in m.sum.data_points)

    def take(self, path: str, body: bytes) -> None:
        if path == "/v1/traces":
            traces = ExportTraceServiceRequest.FromString(body)
            for rs in traces.resource_spans:
                about = plain(rs.resource.attributes)
                self.spans += [(about, span) for scope in rs.scope_spans for span in scope.spans]
        elif path == "/v1/logs":
            logs = ExportLogsServiceRequest.FromString(body)
            for rl in logs.resource_logs:
                about = plain(rl.resource.attributes)
                self.logs += [(about, record) for scope in rl.scope_logs for record in scope.log_records]
        else:
            metrics = ExportMetricsServiceRequest.FromString(body)
            for rm in metrics.resource_metrics:
                about = plain(rm.resource.attributes)
                self.metrics += [(about, metric) for scope in rm.scope_metrics for metric in scope.metrics]


def _number(point: NumberDataPoint) -> int:
    return int(point.as_int if point.WhichOneof("value") == "as_int" else point.as_double)


@contextlib.contextmanager
def running(sink: Sink) -> Iterator[Sink]:
    """Listen; before and after, connections are refused."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["Content-Encoding"] == "zstd"
            body = zstandard.ZstdDecompressor().decompressobj().decompress(raw)
            headers = {key.lower(): value for key, value in self.headers.items()}
            sink.requests.append(Request(path=self.path, headers=headers, sizes=(len(raw), len(body))))
            sink.take(self.path, body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", sink.port), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield sink
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def key_values(attributes: dict[str, Any]) -> list[KeyValue]:
    """A dict of texts and whole numbers as OTLP attributes."""
    return [
        KeyValue(key=key, value=AnyValue(int_value=v) if isinstance(v, int) else AnyValue(string_value=v))
        for key, v in attributes.items()
    ]

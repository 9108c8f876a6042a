"""The real collector with a config that this repository renders, and a sender for it."""

from __future__ import annotations

import contextlib
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric, ResourceMetrics, ScopeMetrics
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from otel_kit.collector.files import write
from otel_kit.collector.generate import generate
from otel_kit.collector.load import load_spec
from tests.collector.sink import key_values
from tests.parts import ROOT, Part, free_ports, http_ready, start

__all__ = ["LOCAL", "SPECS", "Sender", "collector", "rendered"]

SPECS = ROOT / "collector"
LOCAL = ROOT / "build" / "otelcol-local"


def rendered(folder: Path, more: str = "") -> Path:
    """The config of a spec that says what local.yaml says, and `more` on top."""
    text = f"extends: {SPECS / 'local.yaml'}\nenvironment: local\n{more}"
    (folder / "local.yaml").write_text(text, encoding="utf-8")
    write(folder, generate(load_spec(folder, "local")))
    return folder / "config" / "node.yaml"


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Sends to a collector as one resource of the service `shop`."""

    part: Part
    url: str

    def spans(self, spans: Sequence[Span]) -> None:
        scoped = ResourceSpans(resource=_RESOURCE, scope_spans=[ScopeSpans(spans=spans)])
        self._post("traces", ExportTraceServiceRequest(resource_spans=[scoped]))

    def logs(self, records: Sequence[LogRecord]) -> None:
        scoped = ResourceLogs(resource=_RESOURCE, scope_logs=[ScopeLogs(log_records=records)])
        self._post("logs", ExportLogsServiceRequest(resource_logs=[scoped]))

    def metrics(self, metrics: Sequence[Metric]) -> None:
        scoped = ResourceMetrics(resource=_RESOURCE, scope_metrics=[ScopeMetrics(metrics=metrics)])
        self._post("metrics", ExportMetricsServiceRequest(resource_metrics=[scoped]))

    def _post(self, signal: str, message: Any) -> None:
        request = urllib.request.Request(
            f"{self.url}/v1/{signal}",
            data=message.SerializeToString(),
            headers={"Content-Type": "application/x-protobuf"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 200


_RESOURCE = Resource(attributes=key_values({"service.name": "shop", "service.instance.id": "shop-1"}))


@contextlib.contextmanager
def collector(config: Path, destination: str, storage: Path) -> Iterator[Sender]:
    """The collector with `config`, sending to `destination`; its queues are in `storage`."""
    grpc, http, health = free_ports(3)
    env = {
        "OTLP_GRPC_PORT": str(grpc),
        "OTLP_HTTP_PORT": str(http),
        "HEALTH_PORT": str(health),
        "DATADOG_OTLP_ENDPOINT": destination,
        "STORAGE_DIR": str(storage),
        "DD_API_KEY": "an-api-key",
    }
    ready = http_ready(f"http://127.0.0.1:{health}")
    with start([LOCAL, "--config", config], env=env, ready=ready) as part:
        yield Sender(part=part, url=f"http://127.0.0.1:{http}")

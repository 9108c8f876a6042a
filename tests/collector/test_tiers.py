"""The three tiers of production as processes: scraped and sent telemetry, over two gateways, to one place.

The configs are those of collector/prod.yaml. A second --config replaces only where they listen and store,
and what needs a Kubernetes API server: the resolver of gateways and the source of pod metadata.
"""

from __future__ import annotations

import contextlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from otel_kit.collector.files import write
from otel_kit.collector.generate import generate
from otel_kit.collector.load import load_spec
from tests.collector.pipeline import SPECS, Sender
from tests.collector.sink import Sink, plain, running
from tests.collector.test_running import span
from tests.parts import ROOT, Part, eventually, free_port, free_ports, http_ready, start

pytestmark = pytest.mark.kit
KIT = ROOT / "build" / "otelcol-kit"
STATE_METRICS = """\
# TYPE kube_deployment_status_replicas gauge
kube_deployment_status_replicas{namespace="shop",deployment="bff"} 3
# TYPE kube_pod_container_status_restarts_total counter
kube_pod_container_status_restarts_total{namespace="shop",pod="bff-1"} 2
# TYPE kube_secret_info gauge
kube_secret_info{namespace="shop",secret="s"} 1
"""


@pytest.fixture(scope="module")
def configs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prod")
    port = free_port()
    text = f"extends: {SPECS / 'prod.yaml'}\nenvironment: prod\n"
    # Pod discovery needs an API server; the short times keep the test short.
    text += f"scrape: {{annotated_pods: false, every: 1s, kube_state_metrics: '127.0.0.1:{port}'}}\n"
    text += "sampling: {percent: 0, decision_wait: 2s}\nspan_metrics: {every: 1s}\n"
    (folder / "prod.yaml").write_text(text)
    write(folder, generate(load_spec(folder, "prod")))
    (folder / "port").write_text(str(port))
    return folder


@contextlib.contextmanager
def tier(
    configs: Path, name: str, storage: Path, more: dict[str, Any], ports: tuple[int, int]
) -> Iterator[Part]:
    """One collector with the config of a tier, listening for OTLP on `ports` (gRPC, HTTP)."""
    health = free_port()
    readers = [{"periodic": {"interval": 1000, "exporter": {"otlp": {
        "protocol": "http/protobuf",
        "endpoint": f"http://127.0.0.1:{ports[1]}",
        "temporality_preference": "delta",
    }}}}]  # fmt: skip
    protocols = {"http": {"endpoint": f"127.0.0.1:{ports[1]}"}}
    if name != "cluster":
        protocols["grpc"] = {"endpoint": f"127.0.0.1:{ports[0]}"}
    here: dict[str, Any] = {
        "receivers": {"otlp": {"protocols": protocols}},
        "extensions": {
            "health_check": {"endpoint": f"127.0.0.1:{health}"},
            "file_storage": {"directory": str(storage), "compaction": {"directory": str(storage)}},
        },
        "service": {"telemetry": {"metrics": {"readers": readers}}},
        **more,
    }
    over = storage.with_suffix(".yaml")
    over.write_text(yaml.safe_dump(here))
    env = {
        "DD_SITE": "x",
        "DD_API_KEY": "an-api-key",
        "K8S_NODE_NAME": "node-1",
        "K8S_POD_NAME": storage.name,
    }
    env |= {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": "1"}
    command: list[str | Path] = [KIT, "--config", configs / "config" / f"{name}.yaml", "--config", over]
    with start(command, env=env, ready=http_ready(f"http://127.0.0.1:{health}")) as part:
        yield part


@contextlib.contextmanager
def state_metrics(port: int) -> Iterator[None]:
    """A Prometheus endpoint as kube-state-metrics has it."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = STATE_METRICS.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def test_traces_meet_on_one_gateway_and_metrics_keep_one_writer(configs: Path, tmp_path: Path) -> None:
    numbers = free_ports(8)
    gateways = [f"127.0.0.1:{numbers[0]}", f"127.0.0.1:{numbers[2]}"]
    any_gateway = {"otlp_grpc/gateway": {"endpoint": gateways[0]}}
    static = {"load_balancing": {"resolver": {"k8s": None, "static": {"hostnames": gateways}}}}
    anonymous = {"k8s_attributes": {"auth_type": "none"}, "resource_detection": {"detectors": ["env"]}}
    with contextlib.ExitStack() as stack:
        sink = stack.enter_context(running(Sink(free_port())))
        stack.enter_context(state_metrics(int((configs / "port").read_text())))
        to_sink = {"exporters": {"otlp_http/datadog": {"endpoint": sink.url}}}
        for index in (0, 1):
            ports = (numbers[2 * index], numbers[2 * index + 1])
            stack.enter_context(tier(configs, "gateway", tmp_path / f"gateway-{index}", to_sink, ports))
        stack.enter_context(
            tier(
                configs, "cluster", tmp_path / "cluster", {"exporters": any_gateway}, (numbers[4], numbers[5])
            )
        )
        node = {"exporters": {**any_gateway, **static}, "processors": anonymous}
        part = stack.enter_context(tier(configs, "node", tmp_path / "node", node, (numbers[6], numbers[7])))
        sender = Sender(part=part, url=f"http://127.0.0.1:{numbers[7]}")
        # Each of 20 traces comes in two requests, and only its second span has the error.
        sender.spans([span(n, span_id=n) for n in range(1, 21)])
        sender.spans([span(n, error=True, span_id=100 + n) for n in range(1, 21)])
        sender.spans([span(n) for n in range(200, 220)])

        eventually(lambda: len(sink.spans) >= 40, what="both spans of 20 traces")
        eventually(lambda: sink.total("traces.span.metrics.calls") >= 60, what="calls")
        eventually(lambda: sink.metric("kube_deployment_status_replicas"), what="scraped metrics")
        eventually(
            lambda: sink.metric("otelcol_processor_tail_sampling_count_traces_sampled"), what="own metrics"
        )
        tiers = {f"otel-collector-{name}" for name in ("node", "gateway", "cluster")}
        eventually(lambda: tiers <= {r.get("service.name") for r, _ in list(sink.metrics)}, what="all tiers")

    kept = sorted(
        (int.from_bytes(s.trace_id, "big"), int.from_bytes(s.span_id, "big")) for _, s in sink.spans
    )
    assert kept == sorted([*((n, n) for n in range(1, 21)), *((n, 100 + n) for n in range(1, 21))])
    assert sink.total("traces.span.metrics.calls") == 60
    assert {r["deployment.environment.name"] for r, _ in sink.spans} == {"prod"}
    assert not sink.metric("kube_secret_info")
    writers = {
        (r["service.instance.id"], r["k8s.pod.name"])
        for r, m in sink.metrics
        if m.name.startswith("otelcol_exporter_sent") and r["service.name"] == "otel-collector-gateway"
    }
    assert {pod for _, pod in writers} == {"gateway-0", "gateway-1"}
    assert len(writers) == 2
    counts = [
        plain(p.attributes) for m in sink.metric("traces.span.metrics.calls") for p in m.sum.data_points
    ]
    assert len({c["collector.instance.id"] for c in counts}) == 1

"""The tiers of an environment, and what each starts from: what it receives, and its empty pipelines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from otel_kit.collector.model import Component, Config, Kind, Pipeline, Role
from otel_kit.collector.spec import SIGNALS, Spec, Tier
from otel_kit.conventions import PORT_COLLECTOR_HEALTH, PORT_OTLP_GRPC, PORT_OTLP_HTTP

__all__ = ["roles", "skeleton", "tier_of"]

LOOPBACK = "127.0.0.1"


def roles(spec: Spec) -> Iterator[Role]:
    """The tiers that the spec has, with what each is there for."""
    yield Role(tier="node", takes="apps", sends_to="gateway" if spec.tiers.gateway else "datadog")
    if spec.tiers.gateway:
        yield Role(tier="gateway", takes="collectors", sends_to="datadog")
    if spec.tiers.cluster:
        yield Role(tier="cluster", takes="scrapes", sends_to="gateway" if spec.tiers.gateway else "datadog")


def tier_of(spec: Spec, role: Role) -> Tier:
    """The size of the tier that plays this role."""
    tier = {"node": spec.tiers.node, "gateway": spec.tiers.gateway, "cluster": spec.tiers.cluster}[role.tier]
    assert tier is not None
    return tier


def skeleton(spec: Spec, role: Role) -> Config:
    """Receivers, health, and pipelines that limit memory before all else; the passes fill in the rest."""
    config = Config(role=role).add(_otlp(spec, role), *_scrape(spec, role), _memory_limiter(spec, role))
    receivers = tuple(c.id for c in config.of(Kind.RECEIVER))
    for signal in ("metrics",) if role.takes == "scrapes" else SIGNALS:
        config = config.with_pipeline(
            Pipeline(id=signal, receivers=receivers, processors=("memory_limiter",), exporters=())
        )
    return config.add(_health(spec))


def otlp_http_port(spec: Spec) -> str:
    """Where the tier's own OTLP receiver takes HTTP."""
    return str(PORT_OTLP_HTTP) if spec.kubernetes else f"${{env:OTLP_HTTP_PORT:-{PORT_OTLP_HTTP}}}"


def _otlp(spec: Spec, role: Role) -> Component:
    """What is not meant for others stays on loopback: there a tier takes only what it tells of itself."""
    everywhere = "0.0.0.0" if spec.kubernetes else LOOPBACK  # noqa: S104 (a pod; NetworkPolicy says who may)
    grpc_port = PORT_OTLP_GRPC if spec.kubernetes else f"${{env:OTLP_GRPC_PORT:-{PORT_OTLP_GRPC}}}"
    grpc: dict[str, Any] = {"endpoint": f"{everywhere}:{grpc_port}", "max_recv_msg_size_mib": 16}
    if role.takes == "collectors":
        # Or a node would stay with the gateways that it knew when it connected.
        grpc["keepalive"] = {"server_parameters": {"max_connection_age": "60s"}}
    http_host = everywhere if role.takes == "apps" else LOOPBACK
    http = {"endpoint": f"{http_host}:{otlp_http_port(spec)}"}
    protocols = {"http": http} if role.takes == "scrapes" else {"grpc": grpc, "http": http}
    return Component(kind=Kind.RECEIVER, id="otlp", config={"protocols": protocols})


def _memory_limiter(spec: Spec, role: Role) -> Component:
    if spec.kubernetes:
        limit: dict[str, Any] = {"limit_percentage": 80, "spike_limit_percentage": 20}
    else:
        # A percentage would be one of the whole machine here.
        mebibytes = tier_of(spec, role).memory >> 20
        limit = {"limit_mib": mebibytes * 4 // 5, "spike_limit_mib": mebibytes // 5}
    return Component(kind=Kind.PROCESSOR, id="memory_limiter", config={"check_interval": "1s", **limit})


def _health(spec: Spec) -> Component:
    address = (
        f"0.0.0.0:{PORT_COLLECTOR_HEALTH}"
        if spec.kubernetes
        else f"{LOOPBACK}:${{env:HEALTH_PORT:-{PORT_COLLECTOR_HEALTH}}}"
    )
    return Component(kind=Kind.EXTENSION, id="health_check", config={"endpoint": address})


def _scrape(spec: Spec, role: Role) -> Iterator[Component]:
    if role.takes == "scrapes" and (jobs := list(_jobs(spec))):
        config = {"config": {"scrape_configs": jobs}}
        yield Component(kind=Kind.RECEIVER, id="prometheus", config=config)


def _jobs(spec: Spec) -> Iterator[dict[str, Any]]:
    scrape = spec.scrape
    if scrape.kube_state_metrics:
        keep = {"source_labels": ["__name__"], "regex": "|".join(scrape.keep), "action": "keep"}
        yield {
            "job_name": "kube-state-metrics",
            "scrape_interval": str(scrape.every),
            "static_configs": [{"targets": [scrape.kube_state_metrics]}],
            **({"metric_relabel_configs": [keep]} if scrape.keep else {}),
        }
    if scrape.annotated_pods:
        yield {
            "job_name": "annotated-pods",
            "scrape_interval": str(scrape.every),
            "kubernetes_sd_configs": [{"role": "pod"}],
            "relabel_configs": list(_pod_relabeling()),
        }


def _pod_relabeling() -> Iterator[dict[str, Any]]:
    """The usual prometheus.io annotations; `$$` is the collector's way to write one `$`."""
    annotation = "__meta_kubernetes_pod_annotation_prometheus_io_"
    yield {"source_labels": [f"{annotation}scrape"], "regex": "true", "action": "keep"}
    # A pod that has ended keeps its annotations, and would be counted as a target that is down.
    yield {"source_labels": ["__meta_kubernetes_pod_phase"], "regex": "Succeeded|Failed", "action": "drop"}
    yield {"source_labels": [f"{annotation}path"], "regex": "(.+)", "target_label": "__metrics_path__"}
    yield {
        "source_labels": ["__meta_kubernetes_pod_ip", f"{annotation}port"],
        "regex": "(.+);(\\d+)",
        "replacement": "$$1:$$2",
        "target_label": "__address__",
    }
    for label, tag in (("namespace", "kube_namespace"), ("pod_name", "pod_name")):
        yield {"source_labels": [f"__meta_kubernetes_{label}"], "target_label": tag}

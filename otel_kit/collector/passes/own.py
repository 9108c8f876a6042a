"""What the collector tells about itself: above all what it refused, failed to send, or dropped."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from otel_kit.collector.model import Config
from otel_kit.collector.names import workload
from otel_kit.collector.spec import Spec
from otel_kit.collector.tiers import otlp_http_port
from otel_kit.conventions import (
    DEPLOYMENT_ENVIRONMENT,
    K8S_CLUSTER_NAME,
    K8S_NAMESPACE_NAME,
    K8S_NODE_NAME,
    K8S_POD_NAME,
    PORT_COLLECTOR_METRICS,
    SERVICE_NAME,
)

__all__ = ["own_telemetry"]


def own_telemetry(config: Config, spec: Spec) -> Config:
    """Its metrics go in at its own OTLP receiver, as delta, and so the way of all others.

    They are few and come at a fixed pace, so they do not multiply: one batch per interval is counted in the
    next. In Kubernetes a Prometheus endpoint stands beside, for autoscaling and `kubectl port-forward`.
    """
    interval = 10_000 if spec.kubernetes else 2_000
    otlp = {
        "protocol": "http/protobuf",
        "endpoint": f"http://127.0.0.1:{otlp_http_port(spec)}",
        "temporality_preference": "delta",
    }
    readers: list[dict[str, Any]] = [{"periodic": {"interval": interval, "exporter": {"otlp": otlp}}}]
    logs: dict[str, Any] = {"level": "info"}
    if spec.kubernetes:
        prometheus = {"host": "0.0.0.0", "port": PORT_COLLECTOR_METRICS}  # noqa: S104 (a pod)
        readers.append({"pull": {"exporter": {"prometheus": prometheus}}})
        logs["encoding"] = "json"
    telemetry = {
        "resource": {"attributes": _resource(config, spec)},
        "logs": logs,
        "metrics": {"level": "normal", "readers": readers},
    }
    return replace(config, telemetry=telemetry)


def _resource(config: Config, spec: Spec) -> list[dict[str, str]]:
    """Its unified tags; service.instance.id it makes itself, anew at each start."""
    resource = {
        SERVICE_NAME: workload(config.role.tier) if spec.kubernetes else "otel-collector",
        DEPLOYMENT_ENVIRONMENT: spec.environment,
    }
    if spec.kubernetes:
        resource |= {
            K8S_CLUSTER_NAME: spec.kubernetes.cluster,
            K8S_NAMESPACE_NAME: spec.kubernetes.namespace,
            K8S_NODE_NAME: "${env:K8S_NODE_NAME}",
            K8S_POD_NAME: "${env:K8S_POD_NAME}",
        }
    return [{"name": name, "value": value} for name, value in resource.items()]

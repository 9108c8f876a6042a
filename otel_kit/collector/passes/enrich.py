"""Who sent it: unified service tags and Kubernetes names on every resource."""

from __future__ import annotations

from typing import Any

from otel_kit.collector.model import Component, Config, Kind
from otel_kit.collector.spec import SIGNALS, Spec
from otel_kit.conventions import (
    DEPLOYMENT_ENVIRONMENT,
    K8S_CLUSTER_NAME,
    K8S_CONTAINER_NAME,
    K8S_NAMESPACE_NAME,
    K8S_NODE_NAME,
    K8S_POD_NAME,
    K8S_POD_UID,
    SERVICE_INSTANCE_ID,
    SERVICE_NAME,
    SERVICE_VERSION,
)

__all__ = ["enrich"]

#: What is read of a pod. No uid of a workload: that would need more rights and far more memory.
_METADATA = [
    SERVICE_NAME,
    SERVICE_VERSION,
    SERVICE_INSTANCE_ID,
    K8S_NAMESPACE_NAME,
    K8S_NODE_NAME,
    K8S_POD_NAME,
    K8S_POD_UID,
    K8S_CONTAINER_NAME,
    "k8s.deployment.name",
    "k8s.statefulset.name",
    "k8s.daemonset.name",
    "k8s.cronjob.name",
    "k8s.job.name",
    "container.image.name",
    "container.image.tag",
]


def enrich(config: Config, spec: Spec) -> Config:
    """Fill in what the sender did not say itself; what it said stays, so its series keep their one writer."""
    if config.role.takes == "collectors":
        # A gateway sees nodes, not apps: whatever it found out about itself would be wrong on them.
        return config
    added = [_environment(spec), *_kubernetes(config, spec)]
    return config.add(*added).process(SIGNALS, *(c.id for c in added))


def _environment(spec: Spec) -> Component:
    known = {DEPLOYMENT_ENVIRONMENT: spec.environment}
    if spec.kubernetes:
        known[K8S_CLUSTER_NAME] = spec.kubernetes.cluster
    attributes = [{"key": key, "value": value, "action": "insert"} for key, value in known.items()]
    return Component(kind=Kind.PROCESSOR, id="resource", config={"attributes": attributes})


def _kubernetes(config: Config, spec: Spec) -> list[Component]:
    if spec.kubernetes is None or config.role.takes != "apps":
        return []
    return [
        Component(kind=Kind.PROCESSOR, id="k8s_attributes", config=_pod_metadata()),
        Component(kind=Kind.PROCESSOR, id="resource_detection", config=_detection(spec.kubernetes.cloud)),
    ]


def _pod_metadata() -> dict[str, Any]:
    by_uid = [{"from": "resource_attribute", "name": K8S_POD_UID}]
    by_ip = [{"from": "resource_attribute", "name": "k8s.pod.ip"}]
    return {
        "auth_type": "serviceAccount",
        "filter": {"node_from_env_var": "K8S_NODE_NAME"},
        "extract": {"otel_annotations": True, "metadata": _METADATA},
        "pod_association": [
            {"sources": by_uid},
            {"sources": by_ip},
            {"sources": [{"from": "connection"}]},
        ],
        # The last telemetry of a cronjob arrives when its pod is gone.
        "pod_delete_grace_period": "120s",
    }


def _detection(cloud: str) -> dict[str, Any]:
    detectors = ["env", "gcp"] if cloud == "gcp" else ["env"]
    return {"detectors": detectors, "timeout": "2s", "override": False}

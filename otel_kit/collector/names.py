"""Names of rendered files and of what runs in Kubernetes, on which several modules must agree."""

from __future__ import annotations

from typing import Final

__all__ = ["APPS_SERVICE", "GATEWAY", "NAMESPACE_FILE", "RENDERED", "STORAGE", "TIERS", "workload"]

TIERS: Final = ("node", "gateway", "cluster")
#: `kubectl apply -f FOLDER` takes files by their names, and nothing else can be made before the namespace.
NAMESPACE_FILE: Final = "00-namespace"
#: Every name that a rendered file has, or had ("namespace").
RENDERED: Final = frozenset(
    [f"config/{tier}.yaml" for tier in TIERS]
    + [f"manifests/{name}.yaml" for name in (*TIERS, NAMESPACE_FILE, "namespace")]
)

#: The Service that apps send to, on their own node.
APPS_SERVICE: Final = "otel-collector"
#: Where queues are kept in a pod.
STORAGE: Final = "/var/lib/otelcol"


def workload(tier: str) -> str:
    """The name of a tier's workload and of all that belongs to it."""
    return f"otel-collector-{tier}"


#: The headless Service of the gateway.
GATEWAY: Final = workload("gateway")

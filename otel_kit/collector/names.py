"""Names of what runs in Kubernetes, on which config and manifests must agree."""

from __future__ import annotations

from typing import Final

__all__ = ["APPS_SERVICE", "GATEWAY", "STORAGE", "workload"]

#: The Service that apps send to, on their own node.
APPS_SERVICE: Final = "otel-collector"
#: Where queues are kept in a pod.
STORAGE: Final = "/var/lib/otelcol"


def workload(tier: str) -> str:
    """The name of a tier's workload and of all that belongs to it."""
    return f"otel-collector-{tier}"


#: The headless Service of the gateway.
GATEWAY: Final = workload("gateway")

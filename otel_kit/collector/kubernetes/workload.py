"""The workload of a tier: a DaemonSet, a StatefulSet (gateway) or a Deployment (cluster)."""

from __future__ import annotations

import math
import re
from typing import Any

from otel_kit.collector import names
from otel_kit.collector.catalogue import find
from otel_kit.collector.kubernetes.objects import (
    CONFIG_KEY,
    SECRET,
    SECRET_KEY,
    Object,
    labels,
    make,
    selector,
)
from otel_kit.collector.kubernetes.ports import listening
from otel_kit.collector.model import Config
from otel_kit.collector.render import fingerprint
from otel_kit.collector.spec import SIGNALS, Spec, Tier
from otel_kit.collector.text import Size
from otel_kit.collector.tiers import tier_of
from otel_kit.conventions import ENV_DD_API_KEY, ENV_DD_SITE
from otel_kit.errors import UnsupportedError

__all__ = ["workload"]

#: The user of the stock image.
_USER = 10001
#: Seconds to hand on what is in flight, on top of what a sampler waits for.
_DRAIN = 30
#: Part of the memory limit that Go's collector aims to stay below; the rest is for what is not its heap.
_GO_MEMORY = 0.8
_STOCK_IMAGE = "otel/opentelemetry-collector-contrib"
_CONFIG_FOLDER = "/etc/otelcol"
#: Where variables come from that a spec's own components read; their Secret is the reader's to make.
_EXTRA_SECRET = "otel-collector-env"  # noqa: S105 (the name of a Secret)
#: What a tier takes -> the kind of its workload, and how that is rolled out.
_KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    # The new collector of a node serves before the old one ends.
    "apps": (
        "DaemonSet",
        {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}},
    ),
    # A volume may still hold a queue.
    "collectors": (
        "StatefulSet",
        {
            "podManagementPolicy": "Parallel",
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
        },
    ),
    # Two of them at once would write every series twice.
    "scrapes": ("Deployment", {"replicas": 1, "strategy": {"type": "Recreate"}}),
}


def workload(spec: Spec, config: Config, text: str, *, needs_api: bool) -> Object:
    """The object that runs the tier. `needs_api`: it has rights to use, so it gets a token."""
    role, tier = config.role, tier_of(spec, config.role)
    template = _pod(spec, config, text, needs_api=needs_api)
    common = {"selector": {"matchLabels": selector(role.tier)}, "template": template}
    kind, own = _KINDS[role.takes]
    body = {**own, **common}
    if kind == "StatefulSet":
        body |= {
            "replicas": tier.replicas,
            "serviceName": names.GATEWAY,
            "volumeClaimTemplates": [_claim(tier)],
        }
    return make("apps/v1", kind, names.workload(role.tier), spec, role.tier, spec=body)


def _claim(tier: Tier) -> Object:
    storage_class = {"storageClassName": tier.storage_class} if tier.storage_class else {}
    request = {"requests": {"storage": str(_room(tier))}}
    return {
        # Kubernetes refuses any later change of a claim template, so no label here may carry a version.
        "metadata": {"name": "queue"},
        "spec": {"accessModes": ["ReadWriteOnce"], **storage_class, "resources": request},
    }


def _room(tier: Tier) -> Size:
    """Disk for the full queue of each signal, and half as much again to compact the largest."""
    gibibytes = math.ceil(tier.queue * (len(SIGNALS) + 0.5) / (1 << 30))
    return Size(max(gibibytes, 1) << 30)


def _pod(spec: Spec, config: Config, text: str, *, needs_api: bool) -> dict[str, Any]:
    role, tier = config.role, tier_of(spec, config.role)
    config_volume = {"name": "config", "configMap": {"name": names.workload(role.tier)}}
    # Restricted pods may not use the node's own folders. An emptyDir survives a crash of the collector, not
    # the end of its pod; by then the queue is empty, unless the gateway is away too.
    queue = {"name": "queue", "emptyDir": {"sizeLimit": str(_room(tier))}}
    body: dict[str, Any] = {
        "serviceAccountName": names.workload(role.tier),
        "automountServiceAccountToken": needs_api,
        "terminationGracePeriodSeconds": _grace(spec, config),
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(spec, config, text)],
        "volumes": [config_volume, *([] if role.takes == "collectors" else [queue])],
    }
    if tier.priority_class:
        body["priorityClassName"] = tier.priority_class
    if role.takes == "apps":
        body["tolerations"] = [{"operator": "Exists"}]
    if role.takes == "collectors":
        body["topologySpreadConstraints"] = [_spread(f"topology.kubernetes.io/{t}") for t in ("zone",)]
        body["topologySpreadConstraints"].append(_spread("kubernetes.io/hostname"))
    annotations = {"otel-kit/config-sha256": fingerprint(text)}
    metadata = {"labels": labels(spec, role.tier), "annotations": annotations}
    return {"metadata": metadata, "spec": body}


def _spread(key: str) -> dict[str, Any]:
    return {
        "maxSkew": 1,
        "topologyKey": key,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": selector("gateway")},
    }


def _grace(spec: Spec, config: Config) -> int:
    waits = any(c.type == "tail_sampling" for c in config.components)
    return math.ceil(spec.sampling.decision_wait if waits else 0) + _DRAIN


def _container(spec: Spec, config: Config, text: str) -> dict[str, Any]:
    tier = tier_of(spec, config.role)
    ports = [{"name": p.name, "containerPort": p.number} for p in listening(spec, config)]
    probe = {"httpGet": {"path": "/", "port": "health"}}
    return {
        "name": "otel-collector",
        "image": spec.collector.image or _stock_image(spec, config),
        "args": [f"--config={_CONFIG_FOLDER}/{CONFIG_KEY}"],
        "env": [*_environment(spec, text), {"name": "GOMEMLIMIT", "value": _go_limit(tier)}],
        "ports": ports,
        # No limit of processor time: throttling would turn a burst into refused telemetry.
        "resources": {
            "requests": {"cpu": tier.cpu, "memory": str(tier.memory)},
            "limits": {"memory": str(tier.memory)},
        },
        "startupProbe": {**probe, "periodSeconds": 2, "failureThreshold": 60},
        "readinessProbe": {**probe, "periodSeconds": 5},
        "livenessProbe": {**probe, "periodSeconds": 10, "failureThreshold": 6},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "config", "mountPath": _CONFIG_FOLDER, "readOnly": True},
            {"name": "queue", "mountPath": names.STORAGE},
        ],
    }


def _go_limit(tier: Tier) -> str:
    return f"{int(tier.memory * _GO_MEMORY) >> 20}MiB"


def _stock_image(spec: Spec, config: Config) -> str:
    """The image of the whole contrib distribution, as long as it has all that the config uses."""
    version = spec.collector.version
    for component in config.components:
        entry = find(version, [component.kind], component.type)
        if entry is None or "contrib" not in entry.distributions:
            raise UnsupportedError(
                f"the stock image has no '{component.type}'",
                where=f"{spec.source}: {component.path}",
                fix="set collector.image to an image that has it",
            )
    return f"{_STOCK_IMAGE}:{version}"


def _environment(spec: Spec, text: str) -> list[dict[str, Any]]:
    """A source for every variable that the config reads."""
    field = {"K8S_NODE_NAME": "spec.nodeName", "K8S_POD_NAME": "metadata.name"}
    sources: dict[str, dict[str, Any]] = {
        **{name: {"valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in field.items()},
        ENV_DD_SITE: {"value": spec.datadog.site},
        ENV_DD_API_KEY: {"valueFrom": {"secretKeyRef": {"name": SECRET, "key": SECRET_KEY}}},
    }
    read = dict.fromkeys(re.findall(r"\$\{env:(\w+)", text))
    own = {name: {"valueFrom": {"secretKeyRef": {"name": _EXTRA_SECRET, "key": name}}} for name in read}
    return [{"name": name, **sources.get(name, own[name])} for name in read]

"""Configs -> Kubernetes objects. Rights, ports and network rules come from the components in use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from otel_kit.collector.kubernetes.access import access
from otel_kit.collector.kubernetes.network import default_deny, network_policy, services
from otel_kit.collector.kubernetes.objects import Object, config_map, disruption_budget, namespace, secret
from otel_kit.collector.kubernetes.workload import workload
from otel_kit.collector.model import Config
from otel_kit.collector.names import NAMESPACE_FILE
from otel_kit.collector.spec import Spec

__all__ = ["manifests"]


def manifests(spec: Spec, configs: Mapping[str, Config], texts: Mapping[str, str]) -> dict[str, list[Object]]:
    """Files of objects, by name: what all tiers share with the namespace, then a file for each tier.

    `texts` are the rendered configs of `configs`, by tier.
    """
    files = {NAMESPACE_FILE: [namespace(spec), secret(spec), default_deny(spec)]}
    for tier, config in configs.items():
        files[tier] = _tier(spec, config, texts[tier])
    return files


def _tier(spec: Spec, config: Config, text: str) -> list[dict[str, Any]]:
    rights = access(spec, config)
    return [
        *rights,
        config_map(spec, config, text),
        workload(spec, config, text, needs_api=len(rights) > 1),
        *services(spec, config),
        *disruption_budget(spec, config),
        network_policy(spec, config),
    ]

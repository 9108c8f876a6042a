"""Names and labels that all objects share, and the small objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeAlias

from otel_kit.collector.model import Config
from otel_kit.collector.names import workload
from otel_kit.collector.spec import Spec

__all__ = [
    "CONFIG_KEY",
    "SECRET",
    "SECRET_KEY",
    "Object",
    "config_map",
    "disruption_budget",
    "labels",
    "make",
    "namespace",
    "secret",
    "selector",
]

Object: TypeAlias = "dict[str, Any]"

CONFIG_KEY: Final = "config.yaml"
#: The Secret that holds the API key, and its key therein; the External Secrets Operator writes it.
SECRET: Final = "otel-collector-datadog"  # noqa: S105 (the name of a Secret)
SECRET_KEY: Final = "api-key"  # noqa: S105 (the name of a key)


def selector(tier: str | None = None) -> dict[str, str]:
    """Labels that pick the pods of one tier, or of all."""
    component = {"app.kubernetes.io/component": tier} if tier else {}
    return {"app.kubernetes.io/name": "otel-collector", **component}


def labels(spec: Spec, tier: str | None = None) -> dict[str, str]:
    """The recommended labels."""
    return {
        **selector(tier),
        "app.kubernetes.io/part-of": "observability",
        "app.kubernetes.io/managed-by": "otel-kit",
        "app.kubernetes.io/version": spec.collector.version,
    }


def make(api: str, kind: str, name: str, spec: Spec, tier: str | None = None, /, **rest: Any) -> Object:
    """An object in the namespace of the collectors."""
    assert spec.kubernetes is not None
    metadata = {"name": name, "namespace": spec.kubernetes.namespace, "labels": labels(spec, tier)}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **rest}


def namespace(spec: Spec) -> Object:
    """The namespace; every tier fits the strictest Pod Security Standard."""
    assert spec.kubernetes is not None
    levels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
    metadata = {"name": spec.kubernetes.namespace, "labels": {**labels(spec), **levels}}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def secret(spec: Spec) -> Object:
    """A reference to the API key in the secret store; the key itself is never in the repository."""
    return make(
        "external-secrets.io/v1",
        "ExternalSecret",
        SECRET,
        spec,
        spec={
            "refreshInterval": "1h",
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": spec.datadog.secret_store},
            "target": {"name": SECRET, "creationPolicy": "Owner"},
            "data": [{"secretKey": SECRET_KEY, "remoteRef": {"key": spec.datadog.api_key}}],
        },
    )


def config_map(spec: Spec, config: Config, text: str) -> Object:
    """The rendered config of a tier."""
    tier = config.role.tier
    return make("v1", "ConfigMap", workload(tier), spec, tier, data={CONFIG_KEY: text})


def disruption_budget(spec: Spec, config: Config) -> Iterator[Object]:
    """One gateway at a time: each holds traces that nobody else has."""
    tier = config.role.tier
    if config.role.takes == "collectors":
        budget = {"maxUnavailable": 1, "selector": {"matchLabels": selector(tier)}}
        yield make("policy/v1", "PodDisruptionBudget", workload(tier), spec, tier, spec=budget)

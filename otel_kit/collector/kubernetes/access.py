"""Service accounts, and exactly the rights that the components of a config need."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from otel_kit.collector.catalogue import Rule, find
from otel_kit.collector.kubernetes.objects import Object, labels, make
from otel_kit.collector.model import Config
from otel_kit.collector.names import workload
from otel_kit.collector.spec import Spec

__all__ = ["access", "rules"]

_API = "rbac.authorization.k8s.io"


def access(spec: Spec, config: Config) -> list[Object]:
    """The ServiceAccount; then, where there is something to allow, roles that are bound to it."""
    tier = config.role.tier
    needed = list(dict.fromkeys(rules(spec, config)))
    account = make("v1", "ServiceAccount", workload(tier), spec, tier, automountServiceAccountToken=False)
    cluster_wide = [r for r in needed if not r.own_namespace]
    in_namespace = [r for r in needed if r.own_namespace]
    return [
        account,
        *_role(spec, tier, "ClusterRole", cluster_wide),
        *_role(spec, tier, "Role", in_namespace),
    ]


def rules(spec: Spec, config: Config) -> Iterator[Rule]:
    """What the components of a config ask of the Kubernetes API."""
    for component in config.components:
        entry = find(spec.collector.version, [component.kind], component.type)
        words = set(_words(component.config))
        for rule in entry.rules if entry else ():
            if not rule.only_with or rule.only_with & words:
                yield rule


def _words(value: Any) -> Iterator[str]:
    """All keys and texts in a component's config."""
    if isinstance(value, dict):
        yield from value
        for child in value.values():
            yield from _words(child)
    elif isinstance(value, (list, tuple)):
        for child in value:
            yield from _words(child)
    elif isinstance(value, str):
        yield value


def _role(spec: Spec, tier: str, kind: str, needed: list[Rule]) -> Iterator[Object]:
    if not needed:
        return
    assert spec.kubernetes is not None
    listed = [
        {"apiGroups": list(r.groups), "resources": list(r.resources), "verbs": list(r.verbs)} for r in needed
    ]
    subject = {"kind": "ServiceAccount", "name": workload(tier), "namespace": spec.kubernetes.namespace}
    reference = {"apiGroup": _API, "kind": kind, "name": workload(tier)}
    bodies: dict[str, dict[str, Any]] = {
        kind: {"rules": listed},
        f"{kind}Binding": {"roleRef": reference, "subjects": [subject]},
    }
    for name, body in bodies.items():
        if kind == "Role":
            yield make(f"{_API}/v1", name, workload(tier), spec, tier, **body)
        else:
            metadata = {"name": workload(tier), "labels": labels(spec, tier)}
            yield {"apiVersion": f"{_API}/v1", "kind": name, "metadata": metadata, **body}

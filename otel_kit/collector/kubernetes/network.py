"""Who may talk to a tier, and to whom it may talk: services and network policies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from otel_kit.collector.catalogue import find
from otel_kit.collector.kubernetes.access import rules
from otel_kit.collector.kubernetes.objects import Object, make, selector
from otel_kit.collector.kubernetes.ports import Port, listening, remote_ports
from otel_kit.collector.model import Config, Kind
from otel_kit.collector.names import APPS_SERVICE, workload
from otel_kit.collector.spec import Spec
from otel_kit.collector.tiers import roles
from otel_kit.conventions import PORT_OTLP_GRPC

__all__ = ["default_deny", "network_policy", "services"]

_ANYWHERE_IN_CLUSTER: dict[str, Any] = {"namespaceSelector": {}}
#: GKE's metadata server: the first with Dataplane V2, the second without it
#: (https://cloud.google.com/kubernetes-engine/docs/how-to/network-policy).
_METADATA_SERVERS = (("169.254.169.254/32", 80), ("169.254.169.252/32", 988))
#: The Service of the API server, and the server itself: some networks look at a packet before its address is
#: translated, some after it, and kubeadm and kind have the server at 6443.
_KUBERNETES_API = (443, 6443)
_GOOGLE_APIS = 443


def services(spec: Spec, config: Config) -> Iterator[Object]:
    """The node's own collector for apps, and the gateway by the addresses of its pods."""
    tier = config.role.tier
    ports = [p for p in listening(spec, config) if p.purpose == "data"]
    listed = [{"name": p.name, "port": p.number, "targetPort": p.name} for p in ports]
    if config.role.takes == "apps":
        # Apps stay on their node: no hop between zones, and the address of the pod is still the sender's.
        body = {"internalTrafficPolicy": "Local", "selector": selector(tier), "ports": listed}
        yield make("v1", "Service", APPS_SERVICE, spec, tier, spec=body)
    elif config.role.takes == "collectors":
        body = {"clusterIP": "None", "selector": selector(tier), "ports": listed}
        yield make("v1", "Service", workload(tier), spec, tier, spec=body)


def default_deny(spec: Spec) -> Object:
    """Nothing in or out of a collector that its tier's policy does not name."""
    body = {"podSelector": {"matchLabels": selector()}, "policyTypes": ["Ingress", "Egress"]}
    return make("networking.k8s.io/v1", "NetworkPolicy", "otel-collector-deny", spec, spec=body)


def network_policy(spec: Spec, config: Config) -> Object:
    """What a tier needs, and no more. Probes come from the node, which policies always let in."""
    tier = config.role.tier
    body = {
        "podSelector": {"matchLabels": selector(tier)},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": list(_ingress(spec, config)),
        "egress": list(_egress(spec, config)),
    }
    return make("networking.k8s.io/v1", "NetworkPolicy", workload(tier), spec, tier, spec=body)


def _ingress(spec: Spec, config: Config) -> Iterator[dict[str, Any]]:
    ports = list(listening(spec, config))
    if data := [p for p in ports if p.purpose == "data"]:
        senders = [_ANYWHERE_IN_CLUSTER]
        if config.role.takes == "collectors":
            tiers = [r.tier for r in roles(spec) if r.sends_to == "gateway"]
            senders = [{"podSelector": {"matchLabels": selector(t)}} for t in tiers]
        yield {"from": senders, "ports": _tcp(data)}
    if metrics := [p for p in ports if p.purpose == "metrics"]:
        yield {"from": [_ANYWHERE_IN_CLUSTER], "ports": _tcp(metrics)}


def _egress(spec: Spec, config: Config) -> Iterator[dict[str, Any]]:
    yield {"ports": [{"protocol": p, "port": 53} for p in ("UDP", "TCP")]}
    if config.role.sends_to == "gateway":
        gateway = {"podSelector": {"matchLabels": selector("gateway")}}
        yield {"to": [gateway], "ports": [{"protocol": "TCP", "port": PORT_OTLP_GRPC}]}
    outside = set(remote_ports(spec, config))
    if any(rules(spec, config)):
        outside |= set(_KUBERNETES_API)
    calls_google = _calls_google(spec, config)
    if calls_google:
        outside.add(_GOOGLE_APIS)
    if outside:
        yield {"ports": [{"protocol": "TCP", "port": port} for port in sorted(outside)]}
    for block, port in _METADATA_SERVERS if calls_google or _on_google(config) else ():
        yield {"to": [{"ipBlock": {"cidr": block}}], "ports": [{"protocol": "TCP", "port": port}]}
    if config.find(Kind.RECEIVER, "prometheus"):
        # Which port a pod is scraped at is known from its annotation only.
        yield {"to": [_ANYWHERE_IN_CLUSTER]}


def _calls_google(spec: Spec, config: Config) -> bool:
    """Whether a component calls Google's APIs, for which it asks the metadata server for a token."""
    found = (find(spec.collector.version, [c.kind], c.type) for c in config.components)
    return any(entry.google for entry in found if entry)


def _on_google(config: Config) -> bool:
    """Whether the machine is asked what it is."""
    detection = config.find(Kind.PROCESSOR, "resource_detection")
    return any("gcp" in c.config.get("detectors", ()) for c in detection)


def _tcp(ports: list[Port]) -> list[dict[str, Any]]:
    return [{"protocol": "TCP", "port": p.number} for p in ports]

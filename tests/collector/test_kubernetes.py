"""Manifests follow from the config: rights, ports, network, room, and no secret."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest
import yaml

from otel_kit.collector.generate import generate
from otel_kit.collector.load import load_spec
from otel_kit.collector.spec import Extra, Kubernetes, Release, Spec
from otel_kit.errors import InputError, UnsupportedError
from tests.parts import ROOT

PROD = load_spec(ROOT / "collector", "prod")
TIERS = ("node", "gateway", "cluster")
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def objects(spec: Spec, file: str) -> list[dict[str, Any]]:
    return list(yaml.load_all(generate(spec)[f"manifests/{file}.yaml"], Loader=LOADER))


def one(spec: Spec, file: str, kind: str) -> dict[str, Any]:
    (found,) = (o for o in objects(spec, file) if o["kind"] == kind)
    return dict(found)


def pod(spec: Spec, tier: str) -> dict[str, Any]:
    kind = {"node": "DaemonSet", "gateway": "StatefulSet", "cluster": "Deployment"}[tier]
    return dict(one(spec, tier, kind)["spec"]["template"])


def rules(spec: Spec, tier: str, kind: str) -> list[tuple[list[str], list[str]]]:
    return [
        (rule["apiGroups"], rule["resources"])
        for o in objects(spec, tier)
        if o["kind"] == kind
        for rule in o["rules"]
    ]


def test_rights_come_from_the_components_that_a_tier_uses() -> None:
    assert rules(PROD, "node", "ClusterRole") == [([""], ["pods", "namespaces"])]
    assert rules(PROD, "node", "Role") == [(["discovery.k8s.io"], ["endpointslices"])]
    assert rules(PROD, "cluster", "ClusterRole") == [([""], ["pods"])]
    assert rules(PROD, "gateway", "ClusterRole") == rules(PROD, "gateway", "Role") == []


def test_rights_shrink_and_grow_with_the_config() -> None:
    fewer = replace(PROD, scrape=replace(PROD.scrape, annotated_pods=False))
    assert rules(fewer, "cluster", "ClusterRole") == []
    config = {"extract": {"metadata": ["k8s.node.uid"]}}
    extra = Extra(component="k8s_attributes/more", tier="gateway", signals=("logs",), config=config)
    more = replace(PROD, extra=(extra,))
    assert rules(more, "gateway", "ClusterRole") == [([""], ["pods", "namespaces"]), ([""], ["nodes"])]


@pytest.mark.parametrize("tier", TIERS)
def test_only_a_tier_with_rights_gets_a_token(tier: str) -> None:
    assert pod(PROD, tier)["spec"]["automountServiceAccountToken"] is (tier != "gateway")


@pytest.mark.parametrize("tier", TIERS)
def test_a_pod_fits_the_restricted_standard(tier: str) -> None:
    body = pod(PROD, tier)["spec"]
    (container,) = body["containers"]
    assert body["securityContext"]["runAsNonRoot"] is True
    assert body["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    allowed = {"configMap", "emptyDir"}
    assert all(allowed & set(volume) for volume in body["volumes"])
    assert "hostNetwork" not in body


@pytest.mark.parametrize("tier", TIERS)
def test_a_new_config_rolls_the_pods(tier: str) -> None:
    text = one(PROD, tier, "ConfigMap")["data"]["config.yaml"]
    assert text == generate(PROD)[f"config/{tier}.yaml"]
    annotation = pod(PROD, tier)["metadata"]["annotations"]["otel-kit/config-sha256"]
    # The header is not a reason to roll: it says who made the file, nothing to the collector.
    assert annotation == hashlib.sha256(text.partition("\n")[2].encode()).hexdigest()


@pytest.mark.parametrize("tier", TIERS)
def test_every_variable_that_a_config_reads_has_a_source(tier: str) -> None:
    (container,) = pod(PROD, tier)["spec"]["containers"]
    env = {item["name"]: item for item in container["env"]}
    assert env["K8S_NODE_NAME"]["valueFrom"] == {"fieldRef": {"fieldPath": "spec.nodeName"}}
    assert ("DD_API_KEY" in env) is (tier == "gateway")
    mebibytes = {"node": 512, "gateway": 2048, "cluster": 512}[tier]
    assert env["GOMEMLIMIT"]["value"] == f"{mebibytes * 4 // 5}MiB"


def test_the_api_key_is_only_referred_to() -> None:
    (container,) = pod(PROD, "gateway")["spec"]["containers"]
    (key,) = (item for item in container["env"] if item["name"] == "DD_API_KEY")
    external = one(PROD, "00-namespace", "ExternalSecret")
    reference = key["valueFrom"]["secretKeyRef"]
    assert reference["name"] == external["spec"]["target"]["name"]
    assert reference["key"] == external["spec"]["data"][0]["secretKey"]
    assert external["spec"]["data"][0]["remoteRef"] == {"key": "datadog-api-key-prod"}
    assert not [o for file in (*TIERS, "00-namespace") for o in objects(PROD, file) if o["kind"] == "Secret"]


def test_a_variable_of_an_extra_component_comes_from_a_secret_of_the_reader() -> None:
    config = {"endpoint": "https://backup.example:8443", "headers": {"api-key": "${env:BACKUP_KEY}"}}
    extra = Extra(component="otlp_http/backup", tier="gateway", signals=("logs",), config=config)
    spec = replace(PROD, extra=(extra,))
    (container,) = pod(spec, "gateway")["spec"]["containers"]
    (key,) = (item for item in container["env"] if item["name"] == "BACKUP_KEY")
    assert key["valueFrom"]["secretKeyRef"] == {"name": "otel-collector-env", "key": "BACKUP_KEY"}
    assert egress(spec, "gateway")[-1] == (None, [443, 8443])


def test_the_network_lets_in_who_sends_and_out_where_it_is_sent() -> None:
    ingress = {tier: one(PROD, tier, "NetworkPolicy")["spec"]["ingress"] for tier in TIERS}
    ports = {tier: [[p["port"] for p in rule["ports"]] for rule in ingress[tier]] for tier in TIERS}
    assert ports == {"node": [[4317, 4318], [8888]], "gateway": [[4317], [8888]], "cluster": [[8888]]}
    senders = [
        s["podSelector"]["matchLabels"]["app.kubernetes.io/component"] for s in ingress["gateway"][0]["from"]
    ]
    assert senders == ["node", "cluster"]
    deny = one(PROD, "00-namespace", "NetworkPolicy")["spec"]
    assert set(deny) == {"podSelector", "policyTypes"}


def egress(spec: Spec, tier: str) -> list[tuple[str | None, list[int]]]:
    """The ways out of a tier: the one address that a rule is for, if it is, and its ports."""
    found = []
    for rule in one(spec, tier, "NetworkPolicy")["spec"]["egress"]:
        blocks = [to["ipBlock"]["cidr"] for to in rule.get("to", []) if "ipBlock" in to]
        found.append((next(iter(blocks), None), [p["port"] for p in rule.get("ports", [])]))
    return found


def with_extra(tier: str, component: str, **config: Any) -> Spec:
    extra = Extra(component=component, tier=tier, signals=("traces",), config=config, where="spec.yaml:7")
    return replace(PROD, extra=(extra,))


METADATA = [("169.254.169.254/32", [80]), ("169.254.169.252/32", [988])]


def test_who_asks_the_api_server_reaches_it_behind_its_service_too() -> None:
    """kubeadm and kind have it at 6443, and some networks look after the address was translated."""
    assert (None, [443, 6443]) in egress(PROD, "node")
    assert (None, [443, 6443]) in egress(PROD, "cluster")
    assert egress(PROD, "gateway") == [(None, [53, 53]), (None, [443])]


@pytest.mark.parametrize(
    ("brokers", "ports"),
    [
        (["kafka:9093", "b.example:9094"], [443, 9093, 9094]),
        (["kafka"], [443, 9092]),
        ("${env:BROKER}", [443, 9092]),
    ],
)
def test_a_kafka_exporter_reaches_its_brokers(brokers: Any, ports: list[int]) -> None:
    assert (None, ports) in egress(with_extra("gateway", "kafka", brokers=brokers), "gateway")


def test_what_calls_google_s_apis_reaches_the_metadata_server_for_a_token() -> None:
    ways = egress(with_extra("gateway", "googlecloud"), "gateway")
    assert (None, [443]) in ways
    assert ways[-2:] == METADATA


@pytest.mark.parametrize("endpoint", ["https://a:99999", "a.example:${env:PORT}", "http://[::1", "a:b:c"])
def test_an_address_without_a_port_that_can_be_read_is_refused_with_its_line(endpoint: str) -> None:
    with pytest.raises(InputError, match=r"^spec\.yaml:7: no port can be read from the address '"):
        generate(with_extra("gateway", "otlp_http/backup", endpoint=endpoint))


def test_the_metadata_server_is_reached_on_google_cloud_only() -> None:
    def blocks(cloud: str) -> list[str]:
        spec = replace(PROD, kubernetes=Kubernetes(cluster="c", cloud=cloud))
        return [block for block, _ in egress(spec, "node") if block]

    assert blocks("gcp") == ["169.254.169.254/32", "169.254.169.252/32"]
    assert blocks("none") == []


def test_apps_reach_the_collector_of_their_node_and_nodes_each_gateway() -> None:
    node, gateway = one(PROD, "node", "Service"), one(PROD, "gateway", "Service")
    assert node["metadata"]["name"] == "otel-collector"
    assert node["spec"]["internalTrafficPolicy"] == "Local"
    assert [p["port"] for p in node["spec"]["ports"]] == [4317, 4318]
    assert gateway["spec"]["clusterIP"] == "None"
    resolver = yaml.safe_load(generate(PROD)["config/node.yaml"])["exporters"]["load_balancing"]["resolver"]
    assert resolver["k8s"]["service"] == f"{gateway['metadata']['name']}.{gateway['metadata']['namespace']}"


def test_a_gateway_has_room_for_its_queues_and_time_to_empty_them() -> None:
    stateful = one(PROD, "gateway", "StatefulSet")["spec"]
    (claim,) = stateful["volumeClaimTemplates"]
    # Three full queues of 4 GiB, and half of one to compact.
    assert claim["spec"]["resources"]["requests"]["storage"] == "14Gi"
    assert "labels" not in claim["metadata"]
    assert stateful["template"]["spec"]["terminationGracePeriodSeconds"] > PROD.sampling.decision_wait + 20
    assert one(PROD, "gateway", "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1


def test_a_node_can_stop_while_a_gateway_is_away() -> None:
    """A batch that is on its way is tried until its time is over, also while the collector stops."""
    balancer = yaml.safe_load(generate(PROD)["config/node.yaml"])["exporters"]["load_balancing"]
    retry = balancer["protocol"]["otlp"]["retry_on_failure"]
    seconds = [int(text.removesuffix("s")) for text in (retry["max_elapsed_time"], balancer["timeout"])]
    assert 0 < seconds[0] < seconds[1] < pod(PROD, "node")["spec"]["terminationGracePeriodSeconds"]


def test_the_cluster_tier_never_runs_twice() -> None:
    deployment = one(PROD, "cluster", "Deployment")["spec"]
    assert (deployment["replicas"], deployment["strategy"]) == (1, {"type": "Recreate"})


def test_the_image_is_the_stock_one_or_the_spec_s() -> None:
    assert (
        pod(PROD, "node")["spec"]["containers"][0]["image"] == "otel/opentelemetry-collector-contrib:0.158.0"
    )
    own = replace(
        PROD, collector=Release(version="0.158.0", distribution="kit", image="registry.example/kit:1")
    )
    assert pod(own, "node")["spec"]["containers"][0]["image"] == "registry.example/kit:1"


def test_a_priority_class_is_the_spec_s_or_none() -> None:
    assert "priorityClassName" not in pod(PROD, "node")["spec"]
    node = replace(PROD.tiers.node, priority_class="system-node-critical")
    spec = replace(PROD, tiers=replace(PROD.tiers, node=node))
    assert pod(spec, "node")["spec"]["priorityClassName"] == "system-node-critical"
    assert "priorityClassName" not in pod(spec, "gateway")["spec"]


def test_all_objects_are_ours_by_label() -> None:
    for file in (*TIERS, "00-namespace"):
        for found in objects(PROD, file):
            labels = found["metadata"]["labels"]
            assert labels["app.kubernetes.io/managed-by"] == "otel-kit"
            assert labels["app.kubernetes.io/version"] == "0.158.0"


def test_a_component_that_the_distribution_lacks_leaves_no_manifest() -> None:
    with pytest.raises(UnsupportedError):
        generate(replace(PROD, collector=Release(version="0.158.0", distribution="local")))


def test_the_namespace_is_applied_before_all_that_is_in_it() -> None:
    files = sorted(name for name in generate(PROD) if name.startswith("manifests/"))
    first = next(yaml.load_all(generate(PROD)[files[0]], Loader=LOADER))
    assert first["kind"] == "Namespace"

"""What each version of the collector has: the one place where facts about components stand.

Render, lint, RBAC, ports, network rules and the tests of the distributions read it, so they cannot drift.
Sources: each component's metadata.yaml and README at the version, and `otelcol components` of the binaries.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from otel_kit.collector.model import Kind

__all__ = ["VERSIONS", "Endpoint", "Entry", "Rule", "entries", "find"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a component asks of the Kubernetes API.

    `only_with`: needed when one of these words stands in the component's config; always when empty.
    `own_namespace`: a Role in the collectors' namespace is enough.
    """

    groups: tuple[str, ...] = ("",)
    resources: tuple[str, ...]
    verbs: tuple[str, ...] = ("get", "list", "watch")
    only_with: frozenset[str] = frozenset()
    own_namespace: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A port that a component listens on: its name, and where in the component's config its address is."""

    name: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One component of one version.

    `name` is what this version calls it, `former` what earlier ones did. `module` is the last part of its
    Go module. `remote`: it sends over the network, so it needs a queue that survives a restart. `google`: it
    calls Google's APIs with the credentials of its pod. `retries`: an exporter that has retry_on_failure.
    """

    kind: Kind
    name: str
    module: str
    distributions: frozenset[str]
    signals: frozenset[str] = frozenset({"traces", "metrics", "logs"})
    former: tuple[str, ...] = ()
    remote: bool = False
    google: bool = False
    retries: bool = True
    rules: tuple[Rule, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()


_ALL = frozenset({"local", "kit", "contrib"})
_KIT = frozenset({"kit", "contrib"})
#: In the stock image, but not in a distribution that we can build and test at this version.
_STOCK = frozenset({"contrib"})
_ANY = frozenset({"traces", "metrics", "logs"})
_TRACES = frozenset({"traces"})
_METRICS = frozenset({"metrics"})
_LOGS = frozenset({"logs"})

_PODS = Rule(resources=("pods", "namespaces"))
_DISCOVERY = Rule(resources=("pods",), only_with=frozenset({"kubernetes_sd_configs"}))
_METADATA_RULES = (
    _PODS,
    Rule(
        groups=("apps",),
        resources=("replicasets", "deployments"),
        only_with=frozenset({"k8s.deployment.uid"}),
    ),
    Rule(groups=("batch",), resources=("jobs",), only_with=frozenset({"k8s.cronjob.uid"})),
    Rule(resources=("nodes",), only_with=frozenset({"k8s.node.uid"})),
)
_GATEWAY_RULE = Rule(groups=("discovery.k8s.io",), resources=("endpointslices",), own_namespace=True)


def _endpoint(name: str, *parents: str) -> Endpoint:
    return Endpoint(name=name, path=(*parents, "endpoint"))


_OTLP_ENDPOINTS = (
    _endpoint("otlp-grpc", "protocols", "grpc"),
    _endpoint("otlp-http", "protocols", "http"),
)


def _entry(
    kind: Kind,
    name: str,
    module: str,
    distributions: frozenset[str],
    signals: frozenset[str] = _ANY,
    *,
    former: tuple[str, ...] = (),
    remote: bool = False,
    google: bool = False,
    retries: bool = True,
    rules: tuple[Rule, ...] = (),
    endpoints: tuple[Endpoint, ...] = (),
) -> Entry:
    return Entry(
        kind=kind,
        name=name,
        module=module,
        distributions=distributions,
        signals=signals,
        former=former,
        remote=remote,
        google=google,
        retries=retries,
        rules=rules,
        endpoints=endpoints,
    )


def _v0_158() -> Iterator[Entry]:
    kind = Kind.RECEIVER
    yield _entry(kind, "otlp", "otlpreceiver", _ALL, endpoints=_OTLP_ENDPOINTS)
    yield _entry(kind, "file_log", "filelogreceiver", _KIT, _LOGS, former=("filelog",))
    yield _entry(kind, "host_metrics", "hostmetricsreceiver", _KIT, _METRICS | _LOGS, former=("hostmetrics",))
    yield _entry(kind, "kafka", "kafkareceiver", _KIT)
    yield _entry(kind, "otlp_json_file", "otlpjsonfilereceiver", _KIT, former=("otlpjsonfile",))
    yield _entry(kind, "prometheus", "prometheusreceiver", _KIT, _METRICS, rules=(_DISCOVERY,))
    yield _entry(kind, "kubelet_stats", "kubeletstatsreceiver", _STOCK, _METRICS, former=("kubeletstats",))
    yield _entry(kind, "k8s_cluster", "k8sclusterreceiver", _STOCK, _METRICS)
    yield _entry(kind, "k8s_objects", "k8sobjectsreceiver", _STOCK, _LOGS, former=("k8sobjects",))
    yield _entry(kind, "k8s_events", "k8seventsreceiver", _STOCK, _LOGS)
    kind = Kind.PROCESSOR
    yield _entry(kind, "batch", "batchprocessor", _KIT)
    yield _entry(kind, "memory_limiter", "memorylimiterprocessor", _ALL)
    yield _entry(kind, "attributes", "attributesprocessor", _ALL)
    yield _entry(
        kind,
        "cumulative_to_delta",
        "cumulativetodeltaprocessor",
        _ALL,
        _METRICS,
        former=("cumulativetodelta",),
    )
    yield _entry(kind, "delta_to_rate", "deltatorateprocessor", _KIT, _METRICS, former=("deltatorate",))
    yield _entry(kind, "filter", "filterprocessor", _ALL)
    yield _entry(kind, "groupbyattrs", "groupbyattrsprocessor", _KIT)
    yield _entry(
        kind,
        "k8s_attributes",
        "k8sattributesprocessor",
        _KIT,
        former=("k8sattributes",),
        rules=_METADATA_RULES,
    )
    yield _entry(
        kind, "metrics_transform", "metricstransformprocessor", _KIT, _METRICS, former=("metricstransform",)
    )
    yield _entry(kind, "probabilistic_sampler", "probabilisticsamplerprocessor", _ALL, _TRACES | _LOGS)
    yield _entry(kind, "redaction", "redactionprocessor", _ALL)
    yield _entry(kind, "resource", "resourceprocessor", _ALL)
    yield _entry(
        kind, "resource_detection", "resourcedetectionprocessor", _KIT, former=("resourcedetection",)
    )
    yield _entry(kind, "tail_sampling", "tailsamplingprocessor", _ALL, _TRACES)
    yield _entry(kind, "transform", "transformprocessor", _ALL)
    kind = Kind.CONNECTOR
    yield _entry(kind, "forward", "forwardconnector", _ALL)
    yield _entry(kind, "count", "countconnector", _KIT)
    yield _entry(kind, "span_metrics", "spanmetricsconnector", _ALL, former=("spanmetrics",))
    yield _entry(kind, "routing", "routingconnector", _STOCK)
    yield _entry(kind, "datadog", "datadogconnector", _STOCK, _TRACES | _METRICS)
    kind = Kind.EXPORTER
    yield _entry(kind, "debug", "debugexporter", _ALL)
    yield _entry(kind, "file", "fileexporter", _ALL)
    yield _entry(kind, "otlp_grpc", "otlpexporter", _ALL, former=("otlp",), remote=True)
    yield _entry(kind, "otlp_http", "otlphttpexporter", _ALL, former=("otlphttp",), remote=True)
    yield _entry(kind, "googlecloud", "googlecloudexporter", _KIT, remote=True, google=True, retries=False)
    yield _entry(kind, "kafka", "kafkaexporter", _KIT, remote=True)
    yield _entry(
        kind,
        "load_balancing",
        "loadbalancingexporter",
        _KIT,
        former=("loadbalancing",),
        remote=True,
        rules=(_GATEWAY_RULE,),
    )
    yield _entry(kind, "datadog", "datadogexporter", _STOCK, remote=True)
    kind = Kind.EXTENSION
    yield _entry(kind, "health_check", "healthcheckextension", _ALL, endpoints=(_endpoint("health"),))
    yield _entry(kind, "file_storage", "filestorage", _ALL)
    yield _entry(kind, "zpages", "zpagesextension", _KIT, endpoints=(_endpoint("zpages"),))
    yield _entry(kind, "googleclientauth", "googleclientauthextension", _KIT, google=True)
    yield _entry(kind, "k8s_leader_elector", "k8sleaderelector", _STOCK)
    yield _entry(kind, "datadog", "datadogextension", _STOCK)


#: Collector version -> its components.
VERSIONS: dict[str, tuple[Entry, ...]] = {"0.158.0": tuple(_v0_158())}


def entries(version: str) -> tuple[Entry, ...]:
    """All components of a version that the catalogue knows; KeyError otherwise."""
    return VERSIONS[version]


def find(version: str, kinds: Iterable[Kind], name: str) -> Entry | None:
    """The component that this version calls `name`."""
    wanted = set(kinds)
    return next((e for e in VERSIONS[version] if e.name == name and e.kind in wanted), None)

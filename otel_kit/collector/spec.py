"""What a collector spec may ask for: the contents of ``collector/ENV.yaml`` as values.

A spec says what we want, never how: which component does it, in which order, and by which name is decided
by the passes. `__post_init__` raises ValueError; `load` turns it into an error with a line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from otel_kit.collector.patterns import expand
from otel_kit.collector.text import Percent, Seconds, Size

__all__ = [
    "Datadog",
    "Drop",
    "Extra",
    "Kubernetes",
    "Redact",
    "Release",
    "Sampling",
    "Scrape",
    "SpanMetrics",
    "Spec",
    "Tier",
    "Tiers",
]

SIGNALS = ("traces", "metrics", "logs")
_FIVE_SECONDS, _FIFTEEN_SECONDS, _THIRTY_SECONDS = Seconds(5), Seconds(15), Seconds(30)
_ALL = Percent(100)
_256_MEBIBYTES = Size(256 << 20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """The collector that runs: its version, its distribution, and the image when it is not the stock one."""

    version: str
    distribution: str
    image: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Datadog:
    """Where telemetry ends up. The API key itself never stands in a spec: only where it is kept.

    `site` is a Datadog site (``datadoghq.eu``). `api_key` is the name of the key in the secret store
    `secret_store`, a ClusterSecretStore of the External Secrets Operator.
    """

    site: str = "datadoghq.com"
    api_key: str = "datadog-api-key"
    secret_store: str = "gcp-secret-manager"  # noqa: S105 (the name of a store)


@dataclass(frozen=True, slots=True, kw_only=True)
class Redact:
    """What must not leave: attributes by the last word of their key, values by a named pattern or regex."""

    keys: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    sql: bool = True

    def __post_init__(self) -> None:
        if wrong := [key for key in self.keys if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", key)]:
            raise ValueError(f"a key to redact is a word such as api_key, not {wrong[0]!r}")
        for value in self.values:
            expand(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """Spans that nobody wants: of these HTTP paths, and of gRPC's own health service."""

    http_paths: tuple[str, ...] = ()
    grpc_health: bool = True

    def __post_init__(self) -> None:
        if wrong := [path for path in self.http_paths if not path.startswith("/")]:
            raise ValueError(f"an HTTP path begins with /, not as {wrong[0]!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanMetrics:
    """Request, error and duration metrics of every span, counted before any sampling."""

    every: Seconds = _FIFTEEN_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """Which traces are kept: those with an error, the slow ones, and `percent` of all the rest."""

    percent: Percent = _ALL
    errors: bool = True
    slower_than: Seconds | None = None
    decision_wait: Seconds = _FIVE_SECONDS

    @property
    def keeps_all(self) -> bool:
        """Whether there is nothing to decide."""
        return float(self.percent) == 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrape:
    """Prometheus endpoints that the cluster tier reads.

    `kube_state_metrics` is host:port; of its metrics those in `keep` (regexes of whole names) are stored.
    """

    kube_state_metrics: str | None = None
    keep: tuple[str, ...] = ()
    annotated_pods: bool = True
    every: Seconds = _THIRTY_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubernetes:
    """The cluster that the collectors run in; `cloud` is ``gcp`` or ``none``."""

    cluster: str
    namespace: str = "observability"
    cloud: str = "gcp"

    def __post_init__(self) -> None:
        if self.cloud not in {"gcp", "none"}:
            raise ValueError(f"cloud must be gcp or none, not {self.cloud!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """The size of one tier. `queue` is the room of each persistent queue, of which a signal has one."""

    memory: Size
    cpu: str = "100m"
    queue: Size = _256_MEBIBYTES
    replicas: int = 1
    storage_class: str | None = None

    def __post_init__(self) -> None:
        if self.replicas < 1:
            raise ValueError(f"replicas must be 1 or more, not {self.replicas}")
        if not re.fullmatch(r"\d+m|\d+(\.\d+)?", self.cpu):
            raise ValueError(f"cpu must be a quantity such as 500m or 2, not {self.cpu!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiers:
    """The tiers that there are. Without a gateway the node tier sends to Datadog itself."""

    node: Tier
    gateway: Tier | None = None
    cluster: Tier | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """One more processor or exporter in one tier.

    A processor stands right after redaction; an exporter beside the tier's own, with a queue as theirs. What
    its config reads as ``${env:NAME}`` is, in Kubernetes, key NAME of the Secret ``otel-collector-env``.
    """

    component: str
    tier: str
    signals: tuple[str, ...]
    config: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""

    def __post_init__(self) -> None:
        if self.tier not in {"node", "gateway", "cluster"}:
            raise ValueError(f"tier must be node, gateway or cluster, not {self.tier!r}")
        if wrong := [signal for signal in self.signals if signal not in SIGNALS]:
            raise ValueError(f"signals are {', '.join(SIGNALS)}, not {wrong[0]!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One environment's collectors. `source` is the file that it was read from."""

    environment: str
    collector: Release
    tiers: Tiers
    datadog: Datadog = Datadog()
    redact: Redact = Redact()
    drop: Drop = Drop()
    span_metrics: SpanMetrics = SpanMetrics()
    sampling: Sampling = Sampling()
    scrape: Scrape = Scrape()
    kubernetes: Kubernetes | None = None
    extra: tuple[Extra, ...] = ()
    source: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", self.environment):
            raise ValueError(f"environment must be a lower-case name, not {self.environment!r}")
        if self.kubernetes is None and (self.tiers.gateway or self.tiers.cluster):
            raise ValueError("the tiers gateway and cluster need a section 'kubernetes'")
        if self.kubernetes and not self.tiers.gateway and not self.sampling.keeps_all:
            # Each node would see only its part of a trace, and decide on that alone.
            raise ValueError("sampling in Kubernetes needs the tier gateway")

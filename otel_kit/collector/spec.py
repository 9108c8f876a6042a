"""What a collector spec may ask for: the contents of ``collector/ENV.yaml`` as values.

A spec says what we want, never how: which component does it, in which order, and by which name is decided
by the passes. `__post_init__` raises WrongValue; `load` turns it into an error with a line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from otel_kit.collector.names import TIERS
from otel_kit.collector.patterns import PATTERNS, expand, regex
from otel_kit.collector.text import Percent, Seconds, Size
from otel_kit.errors import nearest, suggest

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
    "WrongValue",
]

SIGNALS = ("traces", "metrics", "logs")
_FIVE_SECONDS, _FIFTEEN_SECONDS, _THIRTY_SECONDS = Seconds(5), Seconds(15), Seconds(30)
_ALL = Percent(100)
_256_MEBIBYTES = Size(256 << 20)
#: Below these a collector does not come up, or has no room for one batch.
_LEAST_MEMORY, _LEAST_QUEUE = Size(64 << 20), Size(4 << 20)
#: The sites that take OTLP (https://docs.datadoghq.com/getting_started/site/).
_SITES = (
    "datadoghq.com",
    "us3.datadoghq.com",
    "us5.datadoghq.com",
    "datadoghq.eu",
    "ap1.datadoghq.com",
    "ap2.datadoghq.com",
)
_DISTRIBUTIONS = ("local", "kit", "contrib")
#: What Kubernetes takes for a label, and as part of a DNS name.
_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_NAME = rf"{_LABEL}(\.{_LABEL})*"


class WrongValue(ValueError):  # noqa: N818 (it is named by what it is about)
    """A key of a spec has a value that cannot be meant; `fix` is what to do about it."""

    def __init__(self, key: str, what: str, fix: str | None = None) -> None:
        self.key = key
        self.fix = fix
        super().__init__(what)


def _fits(key: str, value: str | None, pattern: str, needed: str) -> None:
    """WrongValue unless all of `value` matches; None is no value."""
    if value is not None and not re.fullmatch(pattern, value):
        raise WrongValue(key, f"{key} must be {needed}, not {value!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """The collector that runs. `distribution`: what the configs may use, and which binary `validate` asks.

    `image`: what pods run, when it is not the stock image of contrib.
    """

    version: str
    distribution: str
    image: str | None = None

    def __post_init__(self) -> None:
        if self.distribution not in _DISTRIBUTIONS:
            fix = suggest(self.distribution, _DISTRIBUTIONS)
            raise WrongValue("distribution", f"there is no distribution {self.distribution!r}", fix)
        _fits("image", self.image, r"[a-z0-9][\w.:/@-]*", "an image such as registry.example/otelcol:1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Datadog:
    """Where telemetry ends up. The API key itself never stands in a spec: only where it is kept.

    `site` is a Datadog site (``datadoghq.eu``). `api_key` is the name of the key in the secret store
    `secret_store`, a ClusterSecretStore of the External Secrets Operator.
    """

    site: str = "datadoghq.com"
    api_key: str = "datadog-api-key"
    secret_store: str = "gcp-secret-manager"  # noqa: S105 (the name of a store)

    def __post_init__(self) -> None:
        if re.search(r"(^|\.)ddog-gov\.com", self.site):
            raise WrongValue("site", f"the site {self.site!r} takes no OTLP")
        if self.site not in _SITES:
            inside = max((s for s in _SITES if s in self.site), key=len, default=None)
            fix = f"did you mean '{inside}'?" if inside else suggest(self.site, _SITES)
            raise WrongValue("site", f"there is no Datadog site {self.site!r}", fix)
        if not re.fullmatch(r"[A-Za-z0-9][\w./-]{0,254}", self.api_key):
            raise WrongValue("api_key", "api_key must be the name of a secret in the secret store")
        _fits("secret_store", self.secret_store, _NAME, "the name of a ClusterSecretStore")


@dataclass(frozen=True, slots=True, kw_only=True)
class Redact:
    """What must not leave: attributes by the last word of their key, values by a named pattern or regex."""

    keys: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    sql: bool = True

    def __post_init__(self) -> None:
        if wrong := [key for key in self.keys if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", key)]:
            raise WrongValue("keys", f"a key to redact is a word such as api_key, not {wrong[0]!r}")
        for value in self.values:
            try:
                expand(value)
            except ValueError as error:
                raise WrongValue("values", str(error), nearest(value, PATTERNS)) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """Spans that nobody wants: of these HTTP paths, and of gRPC's own health service."""

    http_paths: tuple[str, ...] = ()
    grpc_health: bool = True

    def __post_init__(self) -> None:
        for path in self.http_paths:
            if not path.startswith("/"):
                raise WrongValue("http_paths", f"an HTTP path begins with /, not as {path!r}")
            if not re.fullmatch(r"[\w./~!&'()*+,;=:@%{}-]*", path, re.ASCII):
                raise WrongValue("http_paths", f"no HTTP path is written {path!r}")


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

    def __post_init__(self) -> None:
        _fits("kube_state_metrics", self.kube_state_metrics, r"[A-Za-z0-9.-]+:\d{1,5}", "host:port")
        for value in self.keep:
            try:
                regex(value)
            except ValueError as error:
                raise WrongValue("keep", str(error)) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubernetes:
    """The cluster that the collectors run in; `cloud` is ``gcp`` or ``none``."""

    cluster: str
    namespace: str = "observability"
    cloud: str = "gcp"

    def __post_init__(self) -> None:
        if self.cloud not in {"gcp", "none"}:
            raise WrongValue("cloud", f"cloud must be gcp or none, not {self.cloud!r}")
        _fits("namespace", self.namespace, _LABEL, "a lower-case name such as observability")
        _fits("cluster", self.cluster, r"[A-Za-z0-9]([\w.-]{0,98}[A-Za-z0-9])?", "a name such as shop-prod")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """The size of one tier. `queue` is the room of each persistent queue, of which a signal has one."""

    memory: Size
    cpu: str = "100m"
    queue: Size = _256_MEBIBYTES
    replicas: int = 1
    storage_class: str | None = None
    priority_class: str | None = None

    def __post_init__(self) -> None:
        if self.replicas < 1:
            raise WrongValue("replicas", f"replicas must be 1 or more, not {self.replicas}")
        _fits("cpu", self.cpu, r"[1-9]\d*m|[1-9]\d*(\.\d+)?|0\.\d*[1-9]\d*", "a quantity such as 500m or 2")
        _fits("storage_class", self.storage_class, _NAME, "the name of a StorageClass")
        _fits("priority_class", self.priority_class, _NAME, "the name of a PriorityClass")
        for key, least in (("memory", _LEAST_MEMORY), ("queue", _LEAST_QUEUE)):
            if getattr(self, key) < least:
                raise WrongValue(key, f"{key} must be {least} or more, not {getattr(self, key)}")


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
        if not re.fullmatch(r"[a-z][a-z0-9_]*(/[\w.-]+)?", self.component):
            raise WrongValue("component", f"a component is type or type/name, not {self.component!r}")
        if self.tier not in TIERS:
            raise WrongValue("tier", f"tier must be {', '.join(TIERS)}, not {self.tier!r}")
        if wrong := [signal for signal in self.signals if signal not in SIGNALS]:
            raise WrongValue("signals", f"signals are {', '.join(SIGNALS)}, not {wrong[0]!r}")
        if not self.signals or len(set(self.signals)) < len(self.signals):
            raise WrongValue("signals", f"signals are one or more of {', '.join(SIGNALS)}, each once")
        for key in ("retry_on_failure", "sending_queue"):
            if not isinstance(self.config.get(key, {}), Mapping):
                raise WrongValue("config", f"{key} must be a mapping of 'key: value'")


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
            what = f"environment must be a lower-case name, not {self.environment!r}"
            raise WrongValue("environment", what)
        if self.kubernetes is None and (self.tiers.gateway or self.tiers.cluster):
            raise WrongValue("tiers", "the tiers gateway and cluster need a section 'kubernetes'")
        if self.kubernetes and not self.tiers.gateway and not self.sampling.keeps_all:
            # Each node would see only its part of a trace, and decide on that alone.
            raise WrongValue("sampling", "sampling in Kubernetes needs the tier gateway")

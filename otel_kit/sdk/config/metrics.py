"""What the library needs to know about metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, cast

from otel_kit.sdk.config.environment import Environment

__all__ = ["CARDINALITY_LIMIT", "Exemplars", "MetricSettings", "Temporality", "resolve_metrics"]

Temporality = Literal["delta", "lowmemory", "cumulative"]
Exemplars = Literal["trace_based", "always_on", "always_off"]
#: Attribute sets of a metric; the specification's default.
CARDINALITY_LIMIT: Final = 2000
_TEMPORALITY: Final = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"
_HISTOGRAMS: Final = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION"
_EXPLICIT: Final = "explicit_bucket_histogram"
_EXPONENTIAL: Final = "base2_exponential_bucket_histogram"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSettings:
    """How metrics are collected.

    Attributes:
        temporality: ``delta``; ``lowmemory``: observable counters are cumulative; or ``cumulative``.
        exponential: histograms have base-2 exponential buckets, unless a view or their maker chose.
        exemplars: which measurements may become exemplars: those within a sampled span, all, or none.
        cardinality_limit: attribute sets of a metric; the rest is added up under ``otel.metric.overflow``.
        runtime: record what the process itself uses, see `otel_kit.sdk.metrics.runtime`.
    """

    temporality: Temporality = "delta"
    exponential: bool = False
    exemplars: Exemplars = "trace_based"
    cardinality_limit: int = CARDINALITY_LIMIT
    runtime: bool = True


def resolve_metrics(env: Environment) -> MetricSettings:
    """From the environment alone."""
    temporality = env.choice(_TEMPORALITY, ("delta", "lowmemory", "cumulative"), "delta")
    if temporality != "delta":
        env.problems.append(
            f"{_TEMPORALITY}={temporality}: Datadog's OTLP intake refuses cumulative sums and histograms, "
            "and its exporter loses the first point of each series; use delta"
        )
    histograms = env.choice(_HISTOGRAMS, (_EXPLICIT, _EXPONENTIAL), _EXPLICIT)
    exemplars = env.choice(
        "OTEL_METRICS_EXEMPLAR_FILTER", ("trace_based", "always_on", "always_off"), "trace_based"
    )
    return MetricSettings(
        temporality=cast(Temporality, temporality),
        exponential=histograms == _EXPONENTIAL,
        exemplars=cast(Exemplars, exemplars),
        cardinality_limit=env.count("OTEL_KIT_METRIC_CARDINALITY_LIMIT", CARDINALITY_LIMIT),
        runtime=env.flag("OTEL_KIT_RUNTIME_METRICS", default=True),
    )

"""Which traces are kept: decided when a trace is complete, on the tier that sees all of it."""

from __future__ import annotations

from typing import Any

from otel_kit.collector.model import Component, Config, Kind, Pipeline
from otel_kit.collector.spec import Sampling, Spec

__all__ = ["sample"]

#: Traces held at once. At 2,000 new ones a second this is 25 s, five times the usual wait.
_TRACES = 50_000


def sample(config: Config, spec: Spec) -> Config:
    """Tail sampling. Where all is kept there is none: what it holds in memory dies with the process."""
    if spec.sampling.keeps_all or config.role.sends_to != "datadog" or config.pipeline("traces") is None:
        return config
    sampler = Component(kind=Kind.PROCESSOR, id="tail_sampling", config=_sampler(spec.sampling))
    config = config.add(sampler)
    if config.role.takes != "apps":
        return config.process(["traces"], sampler.id)
    # Span metrics see every span, so the way forks before the decision.
    fork = Component(kind=Kind.CONNECTOR, id="forward/sampled")
    config = config.add(fork).export("traces", fork.id)
    sampled = Pipeline(id="traces/sampled", receivers=(fork.id,), processors=(sampler.id,))
    return config.with_pipeline(sampled)


def _sampler(sampling: Sampling) -> dict[str, Any]:
    policies: list[dict[str, Any]] = []
    if sampling.errors:
        policies.append({"name": "errors", "type": "status_code", "status_code": {"status_codes": ["ERROR"]}})
    if sampling.slower_than:
        milliseconds = round(sampling.slower_than * 1000)
        policies.append({"name": "slow", "type": "latency", "latency": {"threshold_ms": milliseconds}})
    share = {"sampling_percentage": sampling.percent.plain()}
    policies.append({"name": "base", "type": "probabilistic", "probabilistic": share})
    return {
        "decision_wait": str(sampling.decision_wait),
        "num_traces": _TRACES,
        # A span that comes after the decision follows it, as long as the decision is remembered.
        "decision_cache": {"sampled_cache_size": 2 * _TRACES, "non_sampled_cache_size": 2 * _TRACES},
        "policies": policies,
    }

"""What a tracer has to know of its sampler, so that it need not ask the usual ones."""

from __future__ import annotations

from typing import Final, NamedTuple

from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    Decision,
    ParentBased,
    ParentBasedTraceIdRatio,
    Sampler,
    StaticSampler,
    TraceIdRatioBased,
)

__all__ = ["LOW", "Plan", "plan"]

#: The bits of a trace id that decide about its sampling.
LOW: Final = TraceIdRatioBased.TRACE_ID_LIMIT


class Plan(NamedTuple):
    """How to decide about a span.

    Attributes:
        follows: a span with a parent is sampled where its parent is.
        bound: others are sampled where the low bits of the trace id are below it; None: ask.
        asked: the sampler to ask.
    """

    follows: bool
    bound: int | None
    asked: Sampler


def plan(sampler: Sampler) -> Plan:
    """The same decisions as by `sampler`."""
    if type(sampler) in (ParentBased, ParentBasedTraceIdRatio) and _follows(sampler):
        root: Sampler = sampler._root  # type: ignore[attr-defined]
        return Plan(True, _bound(root), root)
    return Plan(False, _bound(sampler), sampler)


def _follows(sampler: Sampler) -> bool:
    names = {"sampled": ALWAYS_ON, "not_sampled": ALWAYS_OFF}
    return all(
        getattr(sampler, f"_{origin}_parent_{name}") is usual
        for origin in ("remote", "local")
        for name, usual in names.items()
    )


def _bound(sampler: Sampler) -> int | None:
    if type(sampler) is TraceIdRatioBased:
        return sampler.bound
    if isinstance(sampler, StaticSampler) and type(sampler).should_sample is StaticSampler.should_sample:
        return {Decision.RECORD_AND_SAMPLE: LOW + 1, Decision.DROP: 0}.get(sampler._decision)
    return None

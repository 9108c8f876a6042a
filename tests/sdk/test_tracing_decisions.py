"""Which spans are recorded and sampled: as the SDK decides."""

from __future__ import annotations

import random
from typing import Any

import pytest
from opentelemetry import trace as api
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider as SdkProvider
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    DEFAULT_OFF,
    DEFAULT_ON,
    AlwaysRecordSampler,
    ParentBased,
    Sampler,
    TraceIdRatioBased,
)
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    TraceState,
    set_span_in_context,
)

from otel_kit.sdk.tracing.provider import TracerProvider
from tests.sdk.tracing_parts import provider


class SameIds(RandomIdGenerator):
    """Equal ids for ours and the SDK's."""

    def __init__(self, seed: int, *, flagged: bool) -> None:
        self._random = random.Random(seed)
        self._flagged = flagged

    def generate_span_id(self) -> int:
        return self._random.getrandbits(64)

    def generate_trace_id(self) -> int:
        return self._random.getrandbits(128)

    def is_trace_id_random(self) -> bool:
        return self._flagged


SAMPLERS: list[Sampler] = [
    ALWAYS_ON,
    ALWAYS_OFF,
    DEFAULT_ON,
    DEFAULT_OFF,
    TraceIdRatioBased(0.5),
    ParentBased(TraceIdRatioBased(0.5)),
    ParentBased(ALWAYS_OFF, remote_parent_not_sampled=ALWAYS_ON),
    ParentBased(AlwaysRecordSampler(ALWAYS_OFF), local_parent_not_sampled=TraceIdRatioBased(0.5)),
    AlwaysRecordSampler(DEFAULT_OFF),
]


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda sampler: sampler.get_description())
@pytest.mark.parametrize("flagged", [True, False])
def test_decisions_flags_and_states_are_those_of_the_sdk(sampler: Sampler, flagged: bool) -> None:
    tracers = [
        kind(
            sampler=sampler,
            resource=Resource({}),
            shutdown_on_exit=False,
            id_generator=SameIds(1, flagged=flagged),
        ).get_tracer("t")
        for kind in (TracerProvider, SdkProvider)
    ]
    rng = random.Random(3)
    for at in range(60):
        state = rng.choice((None, TraceState([("a", "b")])))
        flags = TraceFlags(rng.randrange(4))
        parents = [
            None,
            NonRecordingSpan(SpanContext(rng.getrandbits(128), at + 1, rng.random() < 0.5, flags, state)),
            api.INVALID_SPAN,
        ]
        parent = rng.choice(parents)
        context = None if parent is None else set_span_in_context(parent)
        links = [Link(SpanContext(1, 2, is_remote=False))]
        ours, theirs = (tracer.start_span("s", context, links=links) for tracer in tracers)
        assert ours.get_span_context() == theirs.get_span_context()
        assert ours.get_span_context().trace_flags == theirs.get_span_context().trace_flags
        assert ours.is_recording() == theirs.is_recording()
        assert getattr(ours, "parent", 0) == getattr(theirs, "parent", 0)
        nested = [
            tracer.start_span("s", set_span_in_context(span))
            for tracer, span in zip(tracers, (ours, theirs), strict=True)
        ]
        assert nested[0].get_span_context() == nested[1].get_span_context()


def test_a_sampler_that_is_exchanged_counts_from_then_on() -> None:
    tracer: Any = provider(sampler=ALWAYS_ON).get_tracer("t")
    assert tracer.start_span("s").is_recording()
    tracer.sampler = ALWAYS_OFF
    assert not tracer.start_span("s").is_recording()

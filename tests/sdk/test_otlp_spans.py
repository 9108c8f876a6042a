"""A request that we write, read by the protobuf classes, equals what OpenTelemetry's exporter makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanLimits
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.sdk.trace import TracerProvider as SdkProvider
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)

from otel_kit.sdk.otlp.spans import SpanEncoder
from otel_kit.sdk.tracing.processors import Taker
from otel_kit.sdk.tracing.provider import TracerProvider
from otel_kit.sdk.tracing.span import Span
from tests.sdk import random_data

CONTEXT = SpanContext(0xABC, 0xDEF, is_remote=False, trace_flags=TraceFlags(1))


def read(spans: Sequence[ReadableSpan], encoder: SpanEncoder | None = None) -> bytes:
    """What arrives, with its maps in a fixed order."""
    body = (encoder or SpanEncoder()).encode(spans)
    return ExportTraceServiceRequest.FromString(body).SerializeToString(deterministic=True)


def expected(spans: Sequence[ReadableSpan]) -> bytes:
    return encode_spans(spans).SerializeToString(deterministic=True)


class Made:
    """Random spans, of which equal resources and scopes are the same objects."""

    def __init__(self, seed: int) -> None:
        self.random = random = Random(seed)
        self.resources = [
            Resource(random_data.attributes(random), schema_url=random.choice(("", "https://s/1")))
            for _ in range(3)
        ]
        self.scopes = [
            None,
            InstrumentationScope("plain"),
            InstrumentationScope("full", "1.2", "https://s/2", {"a": 1, "b": "x"}),
            InstrumentationScope("full", "1.2", "https://s/2", {"a": 2}),
        ]

    def context(self) -> SpanContext:
        random = self.random
        states = (None, TraceState(), TraceState([("a", "1"), ("b", "x/y")]))
        return SpanContext(
            random.getrandbits(random.choice((64, 128))) or 1,
            random.getrandbits(64) or 1,
            is_remote=random.random() < 0.5,
            trace_flags=TraceFlags(random.randrange(4)),
            trace_state=random.choice(states),
        )

    def status(self) -> Status:
        code = self.random.choice(list(StatusCode))
        return Status(code, random_data.text(self.random) if code is StatusCode.ERROR else None)

    def span(self) -> ReadableSpan:
        random = self.random
        return ReadableSpan(
            random_data.text(random),
            self.context(),
            random.choice((None, self.context())),
            random.choice(self.resources),
            random.choice((None, random_data.attributes(random))),
            [
                Event(random_data.text(random), random_data.attributes(random), random.getrandbits(60))
                for _ in range(random.randrange(3))
            ],
            [Link(self.context(), random_data.attributes(random)) for _ in range(random.randrange(3))],
            random.choice(list(SpanKind)),
            status=self.status(),
            start_time=random.choice((None, 0, random.getrandbits(62))),
            end_time=random.getrandbits(62),
            instrumentation_scope=random.choice(self.scopes),
        )


@pytest.mark.parametrize("seed", range(10))
def test_random_foreign_spans(seed: int) -> None:
    made, encoder = Made(seed), SpanEncoder()
    for _ in range(4):
        spans = [made.span() for _ in range(25)]
        assert read(spans, encoder) == expected(spans)


class Kept(Taker):
    """Takes our spans as they are, and the SDK's as it gives them."""

    def __init__(self) -> None:
        self.spans: list[Any] = []

    def take(self, span: Span) -> None:
        self.spans.append(span)

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)


class Ids:
    """The same ids for ours and for the SDK's."""

    def __init__(self) -> None:
        self._random = Random(7)

    def generate_trace_id(self) -> int:
        return self._random.getrandbits(128)

    def generate_span_id(self) -> int:
        return self._random.getrandbits(64)

    def is_trace_id_random(self) -> bool:
        return True


def recorded(provider_class: type[SdkProvider], seed: int) -> list[Any]:
    """The same life of spans, on one provider or the other."""
    made, random = Made(seed), Random(seed)
    kept = Kept()
    provider = provider_class(
        resource=made.resources[0],
        shutdown_on_exit=False,
        id_generator=Ids(),  # type: ignore[arg-type]
        span_limits=SpanLimits(
            max_span_attributes=random.choice((None, 0, 2, 5)),
            max_events=random.choice((0, 1, None)),
            max_links=random.choice((0, 1, 9)),
            max_event_attributes=2,
            max_link_attributes=1,
            max_span_attribute_length=random.choice((None, 3)),
        ),
    )
    provider.add_span_processor(kept)
    tracer = provider.get_tracer("lib", "1", "https://s/3", {"scope": True})
    for at in range(20):
        parent = random.choice((None, made.context()))
        span = tracer.start_span(
            f"span {at}",
            set_span_in_context(NonRecordingSpan(parent)) if parent else None,
            random.choice(list(SpanKind)),
            random.choice((None, random_data.attributes(random))),
            [Link(made.context(), random_data.attributes(random)) for _ in range(random.randrange(3))],
            start_time=1000 + at,
        )
        for step in range(random.randrange(6)):
            if step % 2:
                span.set_attribute(random.choice(("k", "user.id", "", "new")), random_data.value(random))
            else:
                span.set_attributes(random_data.attributes(random))
        for _ in range(random.randrange(3)):
            span.add_event("event", random_data.attributes(random), 5)
            span.add_link(made.context(), random_data.attributes(random))
        if random.random() < 0.5:
            span.set_status(made.status())
        span.end(2000 + at)
        span.set_attribute("late", 1)
    return kept.spans


@pytest.mark.parametrize("seed", range(10))
def test_a_life_on_our_provider_is_exported_like_one_on_the_sdks(seed: int) -> None:
    ours, theirs = recorded(TracerProvider, seed), recorded(SdkProvider, seed)
    assert {type(span) for span in ours} <= {Span}
    assert not any(isinstance(span, SdkSpan) for span in theirs)
    assert read(ours) == expected(theirs)
    assert expected(ours) == expected(theirs)


def test_hostile_parts_take_nothing_else_with_them() -> None:
    span = ReadableSpan(
        "na\ud800me",
        CONTEXT,
        resource=Resource({"r": "\udc00"}),
        attributes={"huge": 1 << 80, "lone": "\ud800", "ok": 1},
        status=Status(StatusCode.ERROR, "\ud800"),
        start_time=1,
        end_time=2,
    )
    request = ExportTraceServiceRequest.FromString(SpanEncoder().encode([span]))
    seen = request.resource_spans[0].scope_spans[0].spans[0]
    assert seen.name == "na?me"
    assert seen.status.message == "?"
    assert {a.key: a.value.string_value for a in seen.attributes if a.key != "ok"} == {
        "huge": str(1 << 80),
        "lone": "?",
    }


@pytest.mark.parametrize(
    "span",
    [
        ReadableSpan("no context"),
        ReadableSpan("id", SpanContext(1 << 200, 1, is_remote=False), start_time=1, end_time=2),
    ],
)
def test_a_span_that_has_no_place_in_the_protocol_is_refused(span: ReadableSpan) -> None:
    with pytest.raises(Exception, match=r".*"):
        SpanEncoder().encode([span])


@pytest.mark.parametrize("end", [2.5e9, "now", -1, 1 << 70, float("nan"), None])
def test_a_spoilt_time_or_kind_costs_that_field_alone(end: Any) -> None:
    provider, kept = TracerProvider(shutdown_on_exit=False), Kept()
    provider.add_span_processor(kept)
    span = provider.get_tracer("t").start_span("s", kind="server", start_time=1)  # type: ignore[arg-type]
    span.end(end_time=2)
    kept.spans[0]._end_time = end
    foreign = ReadableSpan("s", CONTEXT, start_time=1, end_time=end, kind="server")  # type: ignore[arg-type]
    for one in (kept.spans[0], foreign):
        request = ExportTraceServiceRequest.FromString(SpanEncoder().encode([one]))
        seen = request.resource_spans[0].scope_spans[0].spans[0]
        assert (seen.name, seen.kind, seen.start_time_unix_nano) == ("s", 0, 1)
        assert seen.end_time_unix_nano == (2_500_000_000 if end == 2.5e9 else 0)


def test_a_bad_event_or_link_takes_no_span_with_it() -> None:
    span = ReadableSpan(
        "s",
        CONTEXT,
        events=[Event("seconds", {}, 1.5), Event("good", {}, 1), Event(5, {}, 2)],  # type: ignore[arg-type]
        links=[Link(SpanContext(1 << 200, 1, is_remote=False)), Link(CONTEXT)],
        start_time=1,
        end_time=2,
    )
    request = ExportTraceServiceRequest.FromString(SpanEncoder().encode([span]))
    seen = request.resource_spans[0].scope_spans[0].spans[0]
    assert ([event.name for event in seen.events], seen.dropped_events_count) == (["good", "5"], 1)
    assert (len(seen.links), seen.dropped_links_count) == (1, 1)


def test_texts_of_a_batch_are_redacted_together_and_remembered() -> None:
    asked: list[str] = []

    class Redact:
        def __call__(self, _: str, value: Any) -> Any:
            return value

        def texts(self, _: str, texts: Sequence[str]) -> Sequence[str]:
            asked.extend(texts)
            return [text.replace("hunter2", "***") for text in texts]

    encoder = SpanEncoder(Redact())

    def encoded(begin: int) -> list[dict[str, str]]:
        # More texts than are remembered, most of them the same.
        attributes = [
            {**{f"k{key}": "same" for key in range(9)}, "id": f"hunter2 {begin + n}"} for n in range(600)
        ]
        spans = [ReadableSpan("s", CONTEXT, attributes=a, start_time=1, end_time=2) for a in attributes]
        request = ExportTraceServiceRequest.FromString(encoder.encode(spans))
        seen = request.resource_spans[0].scope_spans[0].spans
        return [{a.key: a.value.string_value for a in span.attributes} for span in seen]

    for begin in (0, 600, 1200):
        found = encoded(begin)
        assert [attributes.pop("id") for attributes in found] == [f"*** {begin + n}" for n in range(600)]
        assert all(attributes == {f"k{key}": "same" for key in range(9)} for attributes in found)
    assert asked.count("same") == 9
    assert len(asked) == 9 + 1800


def test_names_events_links_and_the_status_are_redacted_too() -> None:
    def redact(_: str, value: Any) -> Any:
        return value.replace("hunter2", "***")

    span = ReadableSpan(
        "GET /hunter2",
        CONTEXT,
        attributes={"a": "hunter2"},
        events=[Event("hunter2", {"exception.message": "hunter2"}, 1)],
        links=[Link(CONTEXT, {"l": "hunter2"})],
        resource=Resource({"r": "hunter2"}),
        status=Status(StatusCode.ERROR, "hunter2"),
        start_time=1,
        end_time=2,
    )
    body = SpanEncoder(redact).encode([span])
    assert b"hunter2" not in body
    assert body.count(b"***") == 7

"""No fault of what a service plugs in or hands over reaches the service."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from opentelemetry import context as context_api
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import (
    Sampler,
    SamplingResult,
)
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    StatusCode,
    set_span_in_context,
)

from tests.sdk.tracing_parts import Seen, Taking, provider, told


class Broken(SpanProcessor):
    def on_start(self, *_: Any, **__: Any) -> None:
        raise RuntimeError("on_start")

    def _on_ending(self, _: SdkSpan) -> None:
        raise RuntimeError("_on_ending")

    def on_end(self, _: ReadableSpan) -> None:
        raise RuntimeError("on_end")

    def shutdown(self) -> None:
        raise RuntimeError("shutdown")


class UnprintableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def test_broken_processors_harm_neither_the_service_nor_the_others() -> None:
    seen, taking = Seen(), Taking()
    made = provider(Broken(), taking, seen)
    with made.get_tracer("t").start_as_current_span("s"):
        pass
    made.shutdown()
    assert (len(seen.started), len(seen.ended), len(taking.taken)) == (1, 1, 1)


class BrokenSampler(Sampler):
    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def should_sample(self, *_: Any, **__: Any) -> SamplingResult:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer  # type: ignore[no-any-return]

    def get_description(self) -> str:
        return "broken"


@pytest.mark.parametrize("answer", [RuntimeError("broken"), None, 1, SamplingResult("yes")])  # type: ignore[arg-type]
def test_a_broken_sampler_loses_no_span(answer: Any) -> None:
    taking = Taking()
    tracer = provider(taking, sampler=BrokenSampler(answer)).get_tracer("t")
    tracer.start_span("root", attributes={"a": 1}).end()
    unsampled = set_span_in_context(NonRecordingSpan(SpanContext(1, 2, is_remote=True)))
    assert not tracer.start_span("child", unsampled).is_recording()
    assert [(span.name, dict(span.attributes or {})) for span in taking.taken] == [("root", {"a": 1})]


class BrokenIds(IdGenerator):
    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def generate_span_id(self) -> int:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer  # type: ignore[no-any-return]

    generate_trace_id = generate_span_id


@pytest.mark.parametrize("answer", [RuntimeError("broken"), None, "ff"])
def test_broken_ids_are_replaced(answer: Any) -> None:
    span = provider(id_generator=BrokenIds(answer)).get_tracer("t").start_span("s")
    assert span.get_span_context().is_valid


def test_nothing_that_a_span_is_given_raises() -> None:
    class Hostile:
        def __str__(self) -> str:
            raise RuntimeError("no text")

        __repr__ = __str__

    taking = Taking()
    garbage: list[Any] = [5, "text", [1], {3: object()}, {"": 1}, {"k": Hostile()}, {None: None}, Hostile()]
    for one in garbage:
        span = provider(taking).get_tracer("t").start_span("s", attributes=one, links=one)
        span.set_attributes(one)
        span.set_attribute(one, one)
        span.set_attribute("k", one)
        span.add_event("event", one)
        span.record_exception(UnprintableError(), one)
        span.set_status(one, one)
        span.set_attribute("still", "there")
        span.end()
        assert taking.taken[-1].attributes is not None
        assert taking.taken[-1].attributes["still"] == "there"


def test_an_error_without_a_text_is_noted() -> None:
    taking = Taking()
    tracer = provider(taking).get_tracer("t")
    with pytest.raises(UnprintableError), tracer.start_as_current_span("current"):
        raise UnprintableError
    with pytest.raises(UnprintableError), tracer.start_span("plain"):
        raise UnprintableError
    for span in taking.taken:
        assert span.status.status_code is StatusCode.ERROR
        assert [event.name for event in span.events] == ["exception"]


def test_an_exit_in_another_context_is_told_and_raises_nothing() -> None:
    taking = Taking()
    manager = provider(taking).get_tracer("t").start_as_current_span("s")
    token = context_api.attach(Context())
    asyncio.run(_enter(manager))
    with told() as lines:
        manager.__exit__(None, None, None)
    context_api.detach(token)
    assert lines == ["Failed to detach context"]
    assert len(taking.taken) == 1


async def _enter(manager: Any) -> None:
    manager.__enter__()


def test_a_signal_handler_may_ask_for_a_tracer_at_any_moment() -> None:
    made = provider()

    def interrupted() -> None:
        with made._tracers_lock:
            made.get_tracer("of the handler").start_span("s").end()

    for _ in range(2):
        thread = threading.Thread(target=interrupted, daemon=True)
        thread.start()
        thread.join(30)
        assert not thread.is_alive()
        made._tracers_lock = threading.Lock()  # as the SDK does in a child process

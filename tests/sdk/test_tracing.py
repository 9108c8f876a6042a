"""Our spans behave as the SDK's do."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import textwrap
import threading
import time
from typing import Any

import pytest
from opentelemetry import trace as api
from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.sdk.trace import SpanLimits
from opentelemetry.trace import (
    Link,
    SpanContext,
    StatusCode,
    get_current_span,
)

from tests.sdk.tracing_parts import Seen, Taking, provider, told


def test_a_processor_of_the_service_gets_what_the_sdk_gives_it() -> None:
    seen, taking = Seen(), Taking()
    made = provider(taking, seen)
    parent = Context({"k": 1})
    span = made.get_tracer("lib", "1").start_span("s", parent, attributes={"a": 1})
    assert isinstance(span, SdkSpan)
    span.set_attribute("b", [2])
    span.end()
    assert seen.started == [(span, parent)]
    (ended,) = seen.ended
    assert not isinstance(ended, api.Span)
    assert dict(ended.attributes or {}) == {"a": 1, "b": (2,)}
    assert (ended.name, ended.instrumentation_scope.name) == ("s", "lib")  # type: ignore[union-attr]
    assert taking.taken == [span]


def test_processors_that_are_replaced_by_hand_are_the_ones_that_count() -> None:
    first, second = Seen(), Seen()
    made = provider(first)
    tracer = made.get_tracer("t")
    made._active_span_processor._span_processors = (second,)
    tracer.start_span("s").end()
    assert (len(first.ended), len(second.started), len(second.ended)) == (0, 1, 1)


def test_a_span_is_ended_once_and_changed_no_more() -> None:
    taking = Taking()
    span = provider(taking).get_tracer("t").start_span("s")
    span.end(5)
    with told() as lines:
        span.end(6)
        span.set_attribute("a", 1)
        span.set_attributes({"a": 1})
        span.add_event("e")
        span.add_link(SpanContext(1, 2, is_remote=False))
        span.update_name("other")
        span.set_status(StatusCode.ERROR)
    assert len(lines) == 7
    (ended,) = taking.taken
    assert (ended.name, ended.end_time, ended.events, ended.links) == ("s", 5, (), ())
    assert dict(ended.attributes or {}) == {}
    assert ended.status.status_code is StatusCode.UNSET


def test_attributes_are_a_live_view_and_safe_to_read_meanwhile() -> None:
    span: Any = provider().get_tracer("t").start_span("s", attributes={"a": 1})
    view = span.attributes
    span.set_attribute("b", 2)
    span.set_attributes({"c": 3, "a": 4})
    assert list(view.items()) == [("b", 2), ("c", 3), ("a", 4)]
    for key in view:  # changes while it is read
        span.set_attribute(f"{key}2", 1)
    with pytest.raises(TypeError):
        view["d"] = 3
    span._attributes["private"] = 1
    assert view["private"] == 1
    span.end()
    with pytest.raises(TypeError):
        span._attributes["private"] = 2


def test_threads_share_a_span_without_loss() -> None:
    taking = Taking()
    span = provider(taking).get_tracer("t").start_span("s")

    def work(number: int) -> None:
        for at in range(10):
            span.set_attribute(f"{number}.{at}", at)
            span.add_event(f"{number}.{at}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    threads = [threading.Thread(target=span.end) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (ended,) = taking.taken
    assert len(ended.attributes or ()) == 80
    assert len(ended.events) == 80


def test_with_makes_current_ends_and_notes_an_error_once() -> None:
    taking = Taking()
    tracer = provider(taking).get_tracer("t")

    def work() -> None:
        with tracer.start_as_current_span("outer") as outer:
            assert get_current_span() is outer
            with tracer.start_as_current_span("inner") as inner:
                assert getattr(inner, "parent", None) == outer.get_span_context()
            assert get_current_span() is outer
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        work()
    assert get_current_span() is api.INVALID_SPAN
    assert [span.name for span in taking.taken] == ["inner", "outer"]
    ended = taking.taken[1]
    assert (ended.status.status_code, ended.status.description) == (StatusCode.ERROR, "ValueError: no")
    (event,) = ended.events
    assert event.attributes is not None
    assert event.attributes["exception.type"] == "ValueError"
    assert "no" in str(event.attributes["exception.stacktrace"])


@pytest.mark.parametrize("error", [KeyboardInterrupt, GeneratorExit, asyncio.CancelledError])
def test_what_is_no_error_is_not_noted(error: type[BaseException]) -> None:
    taking = Taking()
    with pytest.raises(error), provider(taking).get_tracer("t").start_as_current_span("s"):
        raise error
    assert (taking.taken[0].events, taking.taken[0].status.status_code) == ((), StatusCode.UNSET)


def test_the_options_of_with() -> None:
    taking = Taking()
    tracer = provider(taking).get_tracer("t")
    with (
        pytest.raises(ValueError, match="no"),
        tracer.start_as_current_span(
            "s", record_exception=False, set_status_on_exception=False, end_on_exit=False
        ) as span,
    ):
        raise ValueError("no")
    assert taking.taken == []
    span.end()
    assert (taking.taken[0].events, taking.taken[0].status.status_code) == ((), StatusCode.UNSET)
    with (
        pytest.raises(ValueError, match="no"),
        tracer.start_span("s", record_exception=False, set_status_on_exception=False),
    ):
        raise ValueError("no")
    assert (taking.taken[1].events, taking.taken[1].status.status_code) == ((), StatusCode.UNSET)


def test_as_a_decorator_each_call_has_its_span_and_a_coroutine_its_whole_run() -> None:
    taking = Taking()
    tracer = provider(taking).get_tracer("t")

    @tracer.start_as_current_span("sync")
    def double(number: int) -> int:
        """Doubles."""
        assert get_current_span().is_recording()
        return number * 2

    @tracer.start_as_current_span("async")
    async def later() -> api.Span:
        before = get_current_span()
        await asyncio.sleep(0)
        assert get_current_span() is before
        assert before.is_recording()
        return before

    assert (double(2), double(3), double.__doc__) == (4, 6, "Doubles.")
    span = asyncio.run(later())
    assert not span.is_recording()
    assert [span.name for span in taking.taken] == ["sync", "sync", "async"]
    assert len({span.context.span_id for span in taking.taken}) == 3


def test_ids_do_not_repeat_where_the_service_seeds_its_random_numbers() -> None:
    tracer = provider().get_tracer("t")
    ids = set()
    for _ in range(3):
        random.seed(42)
        ids.add(tracer.start_span("s").get_span_context().trace_id)
    assert len(ids) == 3


def test_the_children_of_a_fork_have_ids_of_their_own() -> None:
    code = """
    import os
    from otel_kit.sdk.tracing.ids import Ids
    ids = Ids()
    for _ in range(3):
        if os.fork() == 0:
            print(ids.generate_trace_id(), flush=True)
            os._exit(0)
        os.wait()
    print(ids.generate_trace_id())
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
    )
    assert len(set(done.stdout.split())) == 4


def test_long_texts_are_cut_by_the_limits_wherever_they_are() -> None:
    limits = SpanLimits(max_attribute_length=5, max_span_attribute_length=3)
    with told() as lines:
        tracer = provider(taking := Taking(), span_limits=limits).get_tracer("tests")
        link = Link(tracer.start_span("other").get_span_context(), {"a": "1234567"})
        with tracer.start_as_current_span("s", attributes={"a": "1234567", "b": 12345}, links=[link]) as span:
            span.set_attribute("c", "1234567")
            span.set_attributes({"d": "1234567", "e": b"1234567"})
            span.add_event("event", {"a": "1234567"})
            span.add_link(span.get_span_context(), {"a": "12345678"})
    (ended,) = taking.taken
    assert dict(ended.attributes or {}) == {"a": "123", "b": 12345, "c": "123", "d": "123", "e": b"1234567"}
    assert [dict(event.attributes or {}) for event in ended.events] == [{"a": "12345"}]
    assert [dict(link.attributes or {}) for link in ended.links] == [{"a": "12345"}] * 2
    assert len(lines) <= 1  # of the link, whose attributes the SDK cuts


def test_a_service_that_puts_bodies_into_spans_keeps_its_memory() -> None:
    code = """
        from opentelemetry import trace
        import otel_kit
        otel_kit.init(service="s")
        with trace.get_tracer("t").start_as_current_span("s") as span:
            span.set_attribute("body", "a b " * 250_000)
        print(len(span.attributes["body"]))
    """
    for limit, length in ((None, 25_000), ("30", 30), ("100000", 100_000)):
        env = {} if limit is None else {"OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT": limit}
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)],
            env={**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", **env},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.stdout.split("\n")[0] == str(length), done.stderr


def test_a_span_in_which_the_clock_is_set_back_lasts_no_negative_time() -> None:
    ahead = time.time_ns() + 3600 * 10**9
    tracer = provider(taking := Taking()).get_tracer("tests")
    tracer.start_span("clock", start_time=ahead).end()
    tracer.start_span("of the service", start_time=5).end(3)
    assert [(span.start_time, span.end_time) for span in taking.taken] == [(ahead, ahead), (5, 3)]

"""Which span an error has left, however it was left, and with no mark on the error."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager

import pytest
from opentelemetry.trace import Span, Tracer, use_span

from otel_kit.sdk import spans
from otel_kit.sdk.spans import left_by
from tests.sdk.tracing_parts import Taking, provider

Way = Callable[[Tracer], object]


def fail() -> None:
    raise LookupError("none")


def by_with(tracer: Tracer) -> None:
    with tracer.start_as_current_span("outer"), tracer.start_as_current_span("inner"):
        fail()


def by_span(tracer: Tracer) -> None:
    with tracer.start_span("outer") as span, use_span(span):
        fail()


def by_stack(tracer: Tracer) -> None:
    with ExitStack() as stack:
        stack.enter_context(tracer.start_as_current_span("outer"))
        fail()


def by_decorator(tracer: Tracer) -> None:
    tracer.start_as_current_span("outer")(fail)()


def by_manager(tracer: Tracer) -> None:
    @contextmanager
    def managed() -> Iterator[Span]:
        with tracer.start_as_current_span("outer") as span:
            yield span

    @contextmanager
    def around() -> Iterator[None]:
        with managed():
            yield

    with around():
        fail()


def by_coroutine(tracer: Tracer) -> None:
    @asynccontextmanager
    async def managed() -> AsyncIterator[None]:
        with tracer.start_as_current_span("outer"):
            yield

    async def work() -> None:
        async with managed():
            await asyncio.sleep(0)
            fail()

    async def main() -> None:
        await asyncio.create_task(work())

    asyncio.run(main())


def by_generator(tracer: Tracer) -> None:
    def items() -> Iterator[int]:
        with tracer.start_as_current_span("outer"):
            yield 1
            fail()

    list(items())


def raised_again(tracer: Tracer) -> None:
    try:
        by_with(tracer)
    except LookupError as error:
        raise error


WAYS = [by_with, by_span, by_stack, by_decorator, by_manager, by_coroutine, by_generator, raised_again]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_the_last_span_that_an_error_has_left_is_known(way: Way) -> None:
    taking = Taking()
    with pytest.raises(LookupError) as caught:
        way(provider(taking).get_tracer("t"))
    outer = taking.taken[-1]
    assert outer.name == "outer"
    assert left_by(caught.value) == outer.get_span_context()
    assert vars(caught.value) == {}
    assert left_by(pickle.loads(pickle.dumps(caught.value))) is None


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_an_error_that_has_left_none_is_in_none_even_at_the_same_address(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(LookupError) as before:
        way(provider().get_tracer("t"))
    with pytest.raises(LookupError) as caught:
        fail()
    assert left_by(caught.value) is None
    monkeypatch.setitem(spans._left, id(caught.value), spans._left[id(before.value)])
    assert left_by(caught.value) is None
    assert left_by(before.value) is not None


def test_what_is_remembered_has_a_bound() -> None:
    tracer = provider().get_tracer("t")
    errors = []
    for _ in range(1000):
        with pytest.raises(LookupError) as caught:
            by_with(tracer)
        errors.append(caught.value)
    assert left_by(errors[-1]) is not None
    assert len(spans._left) <= 256

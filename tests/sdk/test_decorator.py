"""`otel_kit.instrument` on each kind of function: one span a call, its errors, and no context that leaks."""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
from collections.abc import AsyncGenerator, Generator, Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import otel_kit
from otel_kit.errors import InputError
from otel_kit.sdk.tracing.provider import TracerProvider

exporter = InMemorySpanExporter()
provider = TracerProvider(shutdown_on_exit=False)
provider.add_span_processor(SimpleSpanProcessor(exporter))
tracer = provider.get_tracer("outer")


@pytest.fixture(autouse=True)
def ours(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Spans of this test alone."""
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    exporter.clear()
    yield
    assert not trace.get_current_span().get_span_context().is_valid


def ended() -> list[Any]:
    """All spans that have ended, in that order."""
    return list(exporter.get_finished_spans())


def current() -> str:
    """Name of the current span, or an empty string."""
    return getattr(trace.get_current_span(), "name", "")


@otel_kit.instrument
def add(a: int, b: int = 2) -> int:
    """Sum."""
    assert current() == "add"
    return a + b


@otel_kit.instrument(name="named", kind="client", attributes={"x": "y"}, record=["a", "more"])
async def aadd(a: int, secret: str = "s3cret", **more: int) -> int:
    assert (current(), secret) == ("named", "s3cret")
    await asyncio.sleep(0)
    return a + sum(more.values())


class Shop:
    """Methods of all kinds."""

    @otel_kit.instrument
    def method(self) -> str:
        return current()

    @otel_kit.instrument
    @classmethod
    def above(cls) -> str:
        return cls.__name__ + current()

    @classmethod
    @otel_kit.instrument
    def below(cls) -> str:
        return cls.__name__ + current()

    @otel_kit.instrument
    @staticmethod
    def static(a: int) -> str:
        return f"{a}{current()}"


def test_a_function_stays_what_it_is() -> None:
    assert (add(1), add(1, b=5)) == (3, 6)
    assert str(inspect.signature(add)) == "(a: 'int', b: 'int' = 2) -> 'int'"
    assert (add.__name__, add.__doc__) == ("add", "Sum.")
    assert [span.name for span in ended()] == ["add", "add"]
    assert {span.instrumentation_scope.name for span in ended()} == {__name__}
    with pytest.raises(TypeError):
        add("x", "y", "z")  # type: ignore[arg-type, call-arg]


def test_only_what_is_named_is_recorded() -> None:
    assert inspect.iscoroutinefunction(aadd)
    assert asyncio.run(aadd(1, "s3cret", size=3)) == 4
    (span,) = ended()
    assert (span.name, span.kind) == ("named", trace.SpanKind.CLIENT)
    assert dict(span.attributes) == {"x": "y", "a": 1, "more": "{'size': 3}"}


def test_methods() -> None:
    shop = Shop()
    assert (shop.method(), shop.above(), Shop.below(), shop.static(1)) == (
        "Shop.method",
        "ShopShop.above",
        "ShopShop.below",
        "1Shop.static",
    )
    assert len(ended()) == 4


def test_an_error_is_recorded_once_and_goes_on() -> None:
    @otel_kit.instrument
    def sync() -> None:
        raise ValueError("no")

    @otel_kit.instrument
    async def coroutine() -> None:
        raise ValueError("no")

    @otel_kit.instrument
    def generator() -> Generator[int, None, None]:
        yield 1
        raise ValueError("no")

    @otel_kit.instrument
    async def async_generator() -> AsyncGenerator[int, None]:
        yield 1
        raise ValueError("no")

    async def read() -> list[int]:
        return [item async for item in async_generator()]

    for call in (
        sync,
        lambda: asyncio.run(coroutine()),
        lambda: list(generator()),
        lambda: asyncio.run(read()),
    ):
        with pytest.raises(ValueError, match="no"):
            call()
    assert len(ended()) == 4
    for span in ended():
        assert span.status.description == "ValueError: no"
        assert [event.name for event in span.events] == ["exception"]


def test_a_generator_is_current_only_while_it_runs() -> None:
    @otel_kit.instrument
    def numbers() -> Generator[str, str, str]:
        first = yield current()
        with tracer.start_as_current_span("nested"):
            yield first + current()
        return current()

    def outer() -> Generator[str, str, str]:
        return (yield from numbers())

    with tracer.start_as_current_span("reader"):
        reading = outer()
        assert next(reading).endswith("numbers")
        assert current() == "reader"
        assert reading.send("sent ") == "sent nested"
        assert current() == "reader"
        with pytest.raises(StopIteration) as end:
            next(reading)
        assert end.value.value.endswith("numbers")
        assert current() == "reader"
    nested, generator, reader = ended()
    assert nested.parent.span_id == generator.context.span_id
    assert generator.parent.span_id == reader.context.span_id


def test_two_generators_in_turns_do_not_mix() -> None:
    @otel_kit.instrument(record=["name"])
    def turn(name: str) -> Generator[int, None, None]:
        for _ in range(2):
            with tracer.start_as_current_span(name):
                yield trace.get_current_span().get_span_context().span_id

    assert len({item for pair in zip(turn("a"), turn("b"), strict=True) for item in pair}) == 4
    outer = {span.context.span_id: span.attributes["name"] for span in ended() if span.attributes}
    for span in ended():
        if span.parent:
            assert outer[span.parent.span_id] == span.name


def test_what_is_thrown_and_closed_reaches_the_generator() -> None:
    seen: list[str] = []

    @otel_kit.instrument
    def patient() -> Generator[int, None, None]:
        try:
            try:
                yield 1
            except KeyError:
                seen.append("thrown")
            yield 2
        finally:
            seen.append(f"closed in {current().rpartition('.')[2]}")

    reading = patient()
    assert (next(reading), reading.throw(KeyError("k"))) == (1, 2)
    reading.close()
    assert seen == ["thrown", "closed in patient"]
    (span,) = ended()
    assert not span.events
    assert span.status.is_unset


def test_a_generator_that_nobody_reads_to_its_end() -> None:
    @otel_kit.instrument
    def endless() -> Generator[int, None, None]:
        while True:
            yield 1

    unread = endless()
    assert next(endless()) == 1  # collected at once
    gc.collect()
    assert len(ended()) == 1
    del unread  # never begun: no span
    gc.collect()
    assert len(ended()) == 1


def test_asynchronous_generators() -> None:
    @otel_kit.instrument
    async def numbers() -> AsyncGenerator[str, str]:
        try:
            sent = yield current()
            await asyncio.sleep(0)
            with tracer.start_as_current_span("nested"):
                yield f"{sent} {current()}"
        finally:
            await asyncio.sleep(0)

    async def read() -> None:
        with tracer.start_as_current_span("reader"):
            reading = numbers()
            assert (await reading.__anext__()).endswith("numbers")
            assert current() == "reader"
            assert await reading.asend("sent") == "sent nested"
            assert current() == "reader"
            await reading.aclose()
            assert current() == "reader"
            async for _ in numbers():
                break  # collected by the loop
        await asyncio.sleep(0)

    asyncio.run(read())
    gc.collect()
    assert sorted(span.name.rpartition(".")[2] for span in ended()) == [
        "nested",
        "numbers",
        "numbers",
        "reader",
    ]
    assert all(span.status.is_unset for span in ended())


def test_steps_of_an_asynchronous_generator_in_different_tasks() -> None:
    @otel_kit.instrument
    async def numbers() -> AsyncGenerator[int, None]:
        yield 1
        yield 2

    async def read() -> list[int]:
        reading = numbers()
        return [await asyncio.create_task(step()) for step in [reading.__anext__] * 2]

    assert asyncio.run(read()) == [1, 2]


def test_concurrent_coroutines_keep_their_own() -> None:
    @otel_kit.instrument(record=["number"])
    async def work(number: int) -> bool:
        before = trace.get_current_span()
        await asyncio.sleep(0)
        return trace.get_current_span() is before and number >= 0

    async def all_of_them() -> list[bool]:
        return await asyncio.gather(*[work(n) for n in range(20)])

    assert all(asyncio.run(all_of_them()))
    assert {span.attributes["number"] for span in ended()} == set(range(20))


def test_what_cannot_be_decorated_is_refused() -> None:
    for wrong in (Shop, "text"):
        decorated: Any = wrong
        with pytest.raises(InputError, match="decorate functions"):
            otel_kit.instrument(decorated)
    with pytest.raises(InputError, match="has no parameter 'c'; use some of a, b"):
        otel_kit.instrument(record=["c"])(add)
    with pytest.raises(InputError, match="use one of internal"):
        otel_kit.instrument(kind="strange")  # type: ignore[call-overload]
    with pytest.raises(InputError, match="cannot decorate a property; put it below @property"):
        otel_kit.instrument(property(lambda _: 1))  # type: ignore[call-overload]


@pytest.mark.parametrize(
    "wrong",
    [{"name": 3}, {"kind": []}, {"kind": "http://me:hunter2@h"}, {"attributes": [1]}, {"record": "a"}],
    ids=str,
)
def test_an_argument_that_cannot_be_used(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=f"{next(iter(wrong))}=.* cannot be used; (give|use) ") as raised:
        otel_kit.instrument(**wrong)
    assert "hunter2" not in str(raised.value)


def test_a_text_that_fails_does_not_fail_the_call() -> None:
    class Mute:
        def __str__(self) -> str:
            raise RuntimeError

    @otel_kit.instrument(record=["it"])
    def take(it: Any) -> str:
        return type(it).__name__

    assert take(Mute()) == "Mute"
    assert "without a text" in ended()[0].attributes["it"]


def test_partials_and_objects_that_can_be_called() -> None:
    async def load(shop: str, number: int) -> bool:
        await asyncio.sleep(0)
        return trace.get_current_span().is_recording() and (shop, number) == ("a", 1)

    class Loader:
        async def __call__(self) -> bool:
            return await load("a", 1)

    assert asyncio.run(otel_kit.instrument(functools.partial(load, "a"))(1))
    assert asyncio.run(otel_kit.instrument(Loader())())
    first, second = (span.name.rpartition("<locals>.")[2] for span in ended())
    assert (first, second) == ("load", "Loader.__call__")

"""What services give to metrics may fail or hang: it takes nothing else with it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import metrics as api
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk import metrics as sdk
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.metrics.view import (
    ExplicitBucketHistogramAggregation,
    View,
)

from otel_kit.sdk.metrics.provider import KitMeterProvider
from tests.parts import eventually
from tests.sdk.metrics_parts import points, provider, reader, values


def observed(callback: Any, made: KitMeterProvider, name: str) -> None:
    """An observable gauge."""
    made.get_meter("tests").create_observable_gauge(name, [callback])


def test_a_callback_that_fails_takes_nothing_else_with_it() -> None:
    read = reader()
    made = provider(read)

    def fails(_: CallbackOptions) -> Iterator[Observation]:
        yield Observation(1, {"a": 1})
        raise RuntimeError("no")

    def odd(_: CallbackOptions) -> Any:
        return [Observation("text"), None]  # type: ignore[arg-type]

    def creates(_: CallbackOptions) -> Iterator[Observation]:
        """What waits for another thread that creates an instrument must not wait for itself."""
        thread = threading.Thread(target=observed, args=(lambda _: [Observation(3)], made, "late"))
        thread.start()
        thread.join(10)
        yield Observation(int(thread.is_alive()))

    observed(fails, made, "fails")
    observed(odd, made, "odd")
    observed(creates, made, "creates")
    observed(lambda _: [Observation(2)], made, "works")
    made.get_meter("tests").create_counter("count").add(1)
    assert {name: point.value for name, _, point in points(read)} == {
        "fails": 1,
        "creates": 0,
        "works": 2,
        "count": 1,
    }
    assert values(read, "late") == {(): 3}


def test_a_callback_that_yields_without_an_end_is_cut() -> None:
    made = provider(read := reader())

    def endless(_: CallbackOptions) -> Iterator[Observation]:
        while True:
            yield Observation(1)

    made.get_meter("tests").create_observable_up_down_counter("endless", [endless])
    observed(lambda _: [Observation(2)], made, "works")
    assert values(read, "works") == {(): 2}
    assert made.take_dropped() == 1


def test_a_callback_that_takes_forever_holds_nothing_up(caplog: pytest.LogCaptureFixture) -> None:
    class Patient(InMemoryMetricReader):
        patience = 0.5

    free = threading.Event()

    def hangs(_: CallbackOptions) -> Iterator[Observation]:
        yield Observation(7)
        free.wait(30)

    read = Patient()
    made = provider(read)
    observed(lambda _: [Observation(1)], made, "before")
    observed(hangs, made, "hangs")
    observed(lambda _: [Observation(2)], made, "after")
    counter = made.get_meter("tests").create_counter("count")
    for _ in range(3):
        counter.add(1)
        assert {name for name, _, _ in points(read)} == {"before", "count"}
    assert len([r for r in caplog.records if "the metric hangs takes over" in r.message]) == 1
    free.set()
    eventually(lambda: {name for name, _, _ in points(read)} == {"before", "hangs", "after", "count"})
    assert values(read, "count") == {(): 3}


def test_callbacks_are_asked_where_no_thread_can_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    class Patient(InMemoryMetricReader):
        patience = 0.5

    def refuse(*_: object) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    read = Patient()
    made = provider(read)
    observed(lambda _: [Observation(1)], made, "observed")
    made.get_meter("tests").create_counter("count").add(2)
    monkeypatch.setattr(threading, "_start_new_thread", refuse)
    assert {name: point.value for name, _, point in points(read)} == {"observed": 1, "count": 2}


def test_collections_at_once_count_each_observation_once() -> None:
    read = InMemoryMetricReader()
    made = provider(read)
    made.get_meter("tests").create_observable_counter("total", [lambda _: [Observation(5)]])
    running = [threading.Thread(target=read.collect) for _ in range(20)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert values(read, "total") == {(): 5}


def test_what_interrupts_the_first_measurement_may_measure_too() -> None:
    """As a signal handler does, or a finalizer; here a view stands for it."""

    class Interrupting(View):
        def _match(self, _instrument: Any) -> bool:
            if interrupted:
                interrupted.pop().add(4)
                made.get_meter("tests").create_counter("other").add(8)
            return False

    read = reader()
    interrupted: list[Any] = []
    made = provider(read, views=[Interrupting(instrument_name="*")] * 2)
    count = made.get_meter("tests").create_counter("count")
    interrupted += [count, count]
    count.add(1)
    count.add(2)
    assert values(read, "count") == {(): 11}


def test_a_signal_handler_may_ask_for_meters_and_instruments_at_any_moment() -> None:
    made = provider(read := reader())
    meter: Any = made.get_meter("tests")

    def interrupted() -> None:
        with made._meter_lock, meter._instrument_registration_lock, meter._instrument_ids_lock:
            made.get_meter("tests").create_counter("count").add(1)
            made.get_meter("of the handler").create_counter("other").add(2)

    for _ in range(2):
        thread = threading.Thread(target=interrupted, daemon=True)
        thread.start()
        thread.join(30)
        assert not thread.is_alive()
        assert {name: point.value for name, _, point in points(read)} == {"count": 1, "other": 2}
        made.renew_after_fork()


@pytest.mark.parametrize("kind", ["counter", "gauge"])
def test_what_interrupts_a_measurement_taken_by_the_sdk_may_measure_too(kind: str) -> None:
    """As a signal handler does, or a finalizer, that comes while the aggregation is locked."""

    class Reservoir(sdk.SimpleFixedSizeExemplarReservoir):
        def offer(self, value: float, *rest: Any) -> None:
            if value == 1:
                measure(2)
            super().offer(value, *rest)

    factory: Any = lambda _: Reservoir  # noqa: E731
    read = reader()
    views = [View(exemplar_reservoir_factory=factory, instrument_name="*")]
    meter = provider(read, views=views, exemplar_filter=sdk.AlwaysOnExemplarFilter()).get_meter("tests")
    measure: Any = meter.create_counter("m").add if kind == "counter" else meter.create_gauge("m").set
    thread = threading.Thread(target=measure, args=(1,), daemon=True)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
    assert values(read, "m") == {(): 3 if kind == "counter" else 2}


def test_a_view_or_reservoir_that_fails_takes_nothing_else_with_it(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(ExplicitBucketHistogramAggregation):
        def _create_aggregation(self, *_: Any, **__: Any) -> Any:
            raise RuntimeError("no aggregation")

    class Reservoir(sdk.SimpleFixedSizeExemplarReservoir):
        def collect(self, point_attributes: Any) -> Any:
            raise RuntimeError(f"no exemplars for {point_attributes}")

    factory: Any = lambda _: Reservoir  # noqa: E731
    read = reader()
    made = provider(
        read,
        views=[
            View(instrument_name="broken", aggregation=Broken()),
            View(instrument_name="reservoir", exemplar_reservoir_factory=factory),
        ],
    )
    meter = made.get_meter("tests")
    for name in ("broken", "reservoir", "works"):
        meter.create_counter(name).add(1)
    assert values(read, "works") == {(): 1}
    meter.create_counter("broken").add(1)
    meter.create_counter("works").add(1)
    assert {name for name, _, _ in points(read)} == {"works", "broken"}
    assert "fault" in caplog.text


def test_names_that_are_not_allowed_make_instruments_that_do_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    meter = provider(reader()).get_meter("tests")
    for name in ("", "1digit", "ü", "x" * 300, None, 5, "a b"):
        instrument = meter.create_counter(name)  # type: ignore[arg-type]
        instrument.add(1)
        assert isinstance(instrument, api.Counter)
    meter.create_histogram("time", explicit_bucket_boundaries_advisory=[2, 1]).record(1)
    assert isinstance(provider().get_meter("tests", attributes={"a": [{}]}), api.Meter)
    assert len([r for r in caplog.records if "records nothing" in r.message]) == 7

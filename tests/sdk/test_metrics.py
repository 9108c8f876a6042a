"""Our meters do what the SDK's do, only quicker: equal results, no measurement lost, none told twice."""

from __future__ import annotations

import random
import sys
import threading
from collections import Counter
from importlib.metadata import version
from typing import Any

import pytest
from opentelemetry.sdk import metrics as sdk
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader
from opentelemetry.sdk.metrics.view import (
    DropAggregation,
    ExplicitBucketHistogramAggregation,
    ExponentialBucketHistogramAggregation,
    LastValueAggregation,
    SumAggregation,
    View,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from otel_kit.sdk.metrics.provider import KitMeterProvider
from tests.sdk.metrics_parts import points, provider, reader, values


def shown(read: InMemoryMetricReader) -> list[Any]:
    """One collection without its times, in an order of its own."""
    found = []
    for name, data, point in points(read):
        values = [
            (field, getattr(point, field))
            for field in ("value", "count", "sum", "min", "max", "bucket_counts", "explicit_bounds", "scale")
            if hasattr(point, field)
        ]
        attributes = sorted((key, type(v).__name__, v) for key, v in point.attributes.items())
        found.append(
            (name, type(data).__name__, getattr(data, "aggregation_temporality", 0), attributes, values)
        )
    return sorted(found, key=repr)


#: Until 1.45.2 the SDK began an interval with the scale of the one before.
KEEPS_SCALE = version("opentelemetry-sdk") in ("1.45.0", "1.45.1")


def without_scale(item: Any) -> Any:
    *names, fields = item
    return *names, [(field, value) for field, value in fields if field != "scale"]


ATTRIBUTES: list[Any] = [
    None,
    {},
    {"a": "x"},
    {"a": "x", "b": 1},
    {"b": 1, "a": "x"},
    {"b": True, "a": "x"},
    {"b": 1.0, "a": "x"},
    {"b": [1, 2], "a": "x"},
    {"b": (1, 2), "a": "x"},
    {"c": {"deep": ["y"]}},
    {"d": None, "e": b"bytes"},
    {"": "left out", "f": "kept"},
    {7: "seven"},
]
BOUNDS = ExplicitBucketHistogramAggregation([1, 2, 3], record_min_max=False)
VIEWS: dict[str, list[View]] = {
    "none": [],
    "fewer keys": [View(instrument_name="*", attribute_keys={"a"})],
    "two of one": [
        View(instrument_name="count", name="renamed"),
        View(instrument_name="count", aggregation=LastValueAggregation()),
    ],
    "exponential": [View(instrument_name="time*", aggregation=ExponentialBucketHistogramAggregation(20))],
    "bounds": [View(instrument_name="time", aggregation=BOUNDS)],
    "drop": [View(instrument_name="*", aggregation=DropAggregation()), View(instrument_name="time")],
    "sum": [View(instrument_name="time", aggregation=SumAggregation())],
}


@pytest.mark.parametrize("views", VIEWS)
@pytest.mark.parametrize("delta", [True, False], ids=["delta", "cumulative"])
def test_random_measurements_come_out_as_from_the_sdk(views: str, delta: bool) -> None:
    """Also when a collection comes in between."""
    chance = random.Random(f"{views}{delta}")
    sides: list[Any] = []
    kinds: tuple[Any, ...] = (sdk.MeterProvider, KitMeterProvider)
    for kind in kinds:
        read = reader() if delta else InMemoryMetricReader()
        made = kind([read], Resource({}), shutdown_on_exit=False, views=VIEWS[views])
        meter = made.get_meter("tests")
        sides.append(
            (
                read,
                meter.create_counter("count").add,
                meter.create_up_down_counter("level").add,
                meter.create_histogram("time", explicit_bucket_boundaries_advisory=[0.5, 10]).record,
                meter.create_gauge("set").set,
            )
        )
    for _ in range(3):
        for _ in range(300):
            which, attributes = chance.randrange(1, 5), chance.choice(ATTRIBUTES)
            value = chance.choice([0, 1, 3, 0.25, 7.5, 1e6]) * (chance.choice([1, -1]) if which == 2 else 1)
            for side in sides:
                side[which](value, attributes)
        expected, found = shown(sides[0][0]), shown(sides[1][0])
        assert found
        if delta and KEEPS_SCALE:
            expected, found = ([without_scale(item) for item in side] for side in (expected, found))
        assert found == expected


def test_they_are_the_sdks_and_one_of_a_name() -> None:
    made = provider()
    assert isinstance(made, sdk.MeterProvider)
    meter = made.get_meter("tests", "1", attributes={"a": 1})
    assert meter is made.get_meter("tests", "1", attributes={"a": 1})
    assert isinstance(meter, sdk.Meter)
    for create, kind in (
        (meter.create_counter, sdk.Counter),
        (meter.create_up_down_counter, sdk.UpDownCounter),
        (meter.create_histogram, sdk.Histogram),
        (meter.create_gauge, sdk._Gauge),
        (meter.create_observable_gauge, sdk.ObservableGauge),
    ):
        instrument: Any = create(f"m.{kind.__name__}", "1", "text")
        assert isinstance(instrument, kind)
        assert instrument is create(f"m.{kind.__name__}", "1", "text")


@pytest.mark.parametrize("changes", [False, True], ids=["one reader", "others come and go"])
def test_no_addition_is_lost_between_threads_and_collections(changes: bool) -> None:
    """Cells fill up, overflow, are given up and made again all the while."""
    read = reader()
    made = provider(read, cardinality_limit=20)
    counter = made.get_meter("tests").create_counter("count")
    histogram = made.get_meter("tests").create_histogram("time")
    total: Counter[str] = Counter()

    def add(number: int) -> None:
        for n in range(5000):
            attributes: Any = {"n": n % (number * 10 + 2)} if n % 3 else {"list": [number]}
            counter.add(1, attributes)
            histogram.record(n, attributes)

    def collect() -> None:
        for name, _, point in points(read):
            total[name] += getattr(point, "value", getattr(point, "count", 0))
        if changes:
            other = InMemoryMetricReader()
            made.add_metric_reader(other)
            made.remove_metric_reader(other)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        running = [threading.Thread(target=add, args=(number,)) for number in range(5)]
        for thread in running:
            thread.start()
        while any(thread.is_alive() for thread in running):
            collect()
        collect()
    finally:
        sys.setswitchinterval(before)
    assert total == {"count": 25_000, "time": 25_000}


def test_recording_waits_for_nobody() -> None:
    """As in a signal handler that came while its thread was folding, or during a long collection."""
    read = reader()
    counter: Any = provider(read).get_meter("tests").create_counter("count")
    counter.add(1)
    with counter.lock:
        for number in range(1000):
            counter.add(1)
            counter.add(1, {"list": [number]})
    assert sum(values(read, "count").values()) == 2001


def test_readers_that_come_and_go() -> None:
    first, second = reader(), InMemoryMetricReader()
    made = provider(first)
    counter = made.get_meter("tests").create_counter("count")
    counter.add(1, {"a": 1})
    made.add_metric_reader(second)
    counter.add(2, {"a": 1})
    assert values(first, "count") == {(("a", 1),): 3}
    assert values(second, "count") == {(("a", 1),): 2}
    counter.add(4, {"a": 1})
    assert values(second, "count") == {(("a", 1),): 6}
    made.remove_metric_reader(second)
    counter.add(8, {"a": 1})
    assert values(first, "count") == {(("a", 1),): 12}


def test_exemplars_are_the_last_of_each_bucket_within_a_sampled_span() -> None:
    read = reader()
    histogram = (
        provider(read)
        .get_meter("tests")
        .create_histogram("time", explicit_bucket_boundaries_advisory=[1, 10])
    )
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("tests")
    histogram.record(0.1, {"a": 1})
    for value in (0.5, 5, 0.7, 50):
        with tracer.start_as_current_span("work") as span:
            histogram.record(value, {"a": 1})
    [(_, _, point)] = points(read)
    assert [e.value for e in point.exemplars] == [0.7, 5, 50]
    assert point.exemplars[-1].trace_id == span.get_span_context().trace_id
    assert point.exemplars[-1].span_id == span.get_span_context().span_id
    histogram.record(0.1, {"a": 1})
    [(_, _, point)] = points(read)
    assert point.exemplars == []


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(sdk.AlwaysOnExemplarFilter, 1), (sdk.AlwaysOffExemplarFilter, 0), (sdk.TraceBasedExemplarFilter, 0)],
)
def test_exemplar_filters(kind: Any, expected: int) -> None:
    read = reader()
    counter = provider(read, exemplar_filter=kind()).get_meter("tests").create_counter("count")
    for _ in range(3):
        counter.add(1, {"a": 1})
    [(_, _, point)] = points(read)
    assert (point.value, len(point.exemplars)) == (3, expected)


def test_a_child_process_begins_anew() -> None:
    read = reader()
    made = provider(read)
    meter = made.get_meter("tests")
    counter = meter.create_counter("count")
    gauge = meter.create_gauge("level")
    counter.add(5, {"a": 1})
    gauge.set(5)
    made.renew_after_fork()
    counter.add(1, {"a": 1})
    assert shown(read) == [("count", "Sum", AggregationTemporality.DELTA, [("a", "int", 1)], [("value", 1)])]


def test_views_and_the_resource_can_change_later() -> None:
    read = reader()
    made = provider(read)
    made.get_meter("tests").create_counter("count").add(1)
    made._update_resource(Resource({"service.instance.id": "b"}))
    data = read.get_metrics_data()
    assert data is not None
    assert data.resource_metrics[0].resource.attributes["service.instance.id"] == "b"

"""Whatever a service records: memory is bounded, totals are exact, and nothing is raised."""

from __future__ import annotations

import decimal
import enum
import math
from typing import Any

import pytest
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.metrics.view import View

from otel_kit.sdk.delivery.outbox import Outbox
from otel_kit.sdk.delivery.send_http import HttpSender
from otel_kit.sdk.delivery.tally import Tally
from otel_kit.sdk.delivery.writer import Writer
from otel_kit.sdk.metrics.cardinality import most_varied
from otel_kit.sdk.metrics.cells import LONGEST, ROOM
from otel_kit.sdk.metrics.delta import DeltaReader
from otel_kit.sdk.metrics.provider import KitMeterProvider
from tests.sdk.metrics_parts import points, provider, reader, values
from tests.sdk.run import endpoint, script
from tests.sdk.sink import Sink, running_sink

OVERFLOW = (("otel.metric.overflow", True),)


def kept(counter: Any) -> int:
    """Attribute sets that the instrument or the SDK's storage still holds."""
    storages = counter._measurement_consumer._reader_storages.values()
    return len(counter._known) + sum(
        len(match._attributes_aggregation)
        for storage in storages
        for match in storage._get_or_init_view_instrument_match(counter)
    )


def test_beyond_the_limit_sets_are_added_up_and_their_attribute_is_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    read = reader()
    made = provider(read)
    counter = made.get_meter("tests").create_counter("orders")
    for number in range(5000):
        counter.add(2, {"customer": str(number), "shop": str(number % 3), "kind": "a"})
    assert [offender.metric for offender in made.offenders()] == ["orders"]
    found = values(read, "orders")
    assert len(found) == 2001
    assert sum(found.values()) == 10_000
    assert found[OVERFLOW] == 6000
    [offender] = made.offenders()
    assert (offender.metric, offender.attribute, offender.values, offender.limit) == (
        "orders",
        "customer",
        2000,
        2000,
    )
    for _ in range(2):
        for number in range(3000):
            counter.add(1, {"customer": str(number)})
        assert sum(values(read, "orders").values()) == 3000
    assert len([r for r in caplog.records if "orders has more than 2000" in r.message]) == 1


def test_the_limit_of_the_settings_holds_for_all_kinds() -> None:
    with running_sink() as sink:
        env = {
            **endpoint(sink),
            "OTEL_KIT_METRIC_CARDINALITY_LIMIT": "5",
            "OTEL_KIT_RUNTIME_METRICS": "false",
        }
        with script("many-sets", env) as part:
            assert part.wait() == 0, part.output()
            said = part.output()
        seen = sink.seen
    for name in ("count", "level", "time", "set", "observed"):
        sets = {tuple(p.attributes.items()) for p in seen.named(name)}
        assert len(sets) == 6, name
        assert OVERFLOW in sets, name
        assert f"the metric {name} has more than 5 attribute sets" in said
    assert seen.total("count") == seen.total("time") == 100


def test_idle_sets_are_forgotten() -> None:
    read = reader()
    counter: Any = provider(read).get_meter("tests").create_counter("count")
    for start in range(0, 20_000, 1000):
        for number in range(start, start + 1000):
            counter.add(1, {"n": number})
        assert sum(values(read, "count").values()) == 1000
    assert kept(counter) == 1000
    assert values(read, "count") == {}
    assert kept(counter) == 0


def test_a_full_cell_does_not_wait_for_the_collection() -> None:
    counter: Any = provider(reader()).get_meter("tests").create_counter("count")
    for _ in range(10 * ROOM):
        counter.add(1, {"a": 1})
        assert all(len(cell) < ROOM and len(cell.sampled) < ROOM for cell in counter._known.values())


def test_sets_under_a_view_with_few_keys_do_not_overflow() -> None:
    read = reader()
    counter = provider(read, views=[View(instrument_name="*", attribute_keys={"a"})], cardinality_limit=10)
    add = counter.get_meter("tests").create_counter("count").add
    for number in range(1000):
        add(1, {"a": number % 3, "b": number})
    assert values(read, "count") == {(("a", 0),): 334, (("a", 1),): 333, (("a", 2),): 333}


class Colour(enum.Enum):
    RED = "red"


class Hostile:
    """Fails in whatever it is asked."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    def __hash__(self) -> int:
        raise RuntimeError("no hash")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no comparison")


class Mapping(dict[str, Any]):
    """Fails in the middle."""

    def items(self) -> Any:
        raise RuntimeError("no items")


ODD_ATTRIBUTES: list[Any] = [
    {"a": [1, [2, {"x": [3]}]]},
    {"a": math.nan},
    {"a": math.inf},
    {"a": "x" * 1_000_000},
    {"a": "\ud800"},
    {"a": Colour.RED},
    {"a": object()},
    {"a": 10**100},
    {"a": b"\xff"},
    {"a": {1, 2}},
    {7: 1, None: 2, ("x",): 3, "": 4},
    [("a", 1)],
    "text",
    7,
    Hostile(),
    {str(number): number for number in range(500)},
]
#: Nothing can be sent of these.
LOST: list[Any] = [{"a": Hostile()}, Mapping(a=1)]


@pytest.mark.parametrize("number", range(len(ODD_ATTRIBUTES + LOST)))
def test_attributes_of_any_kind_are_sent_or_counted(number: int) -> None:
    """What can be cleaned is sent, by the encoder as well; what cannot even be looked at is counted."""
    attributes = (ODD_ATTRIBUTES + LOST)[number]
    lost = number >= len(ODD_ATTRIBUTES)
    with running_sink() as sink:
        reading, tally, made = to_sink(sink)
        meter = made.get_meter("tests")
        for _ in range(3):
            meter.create_counter("count").add(1, attributes)
            meter.create_histogram("time").record(1, attributes)
            meter.create_gauge("level").set(1, attributes)
        reading.outbox.start()
        reading.start()
        assert reading.force_flush(20_000)
        sent = [p.value for p in sink.seen.points if p.name in ("count", "time")]
        texts = [v for p in sink.seen.points for v in p.attributes.values() if isinstance(v, str)]
    assert sum(sent) == (0 if lost else 6)
    assert tally.figures()[1] == (9 if lost else 0)
    assert all(len(text) <= LONGEST for text in texts)


def to_sink(sink: Sink) -> tuple[DeltaReader, Tally, KitMeterProvider]:
    """Our own reader and provider, sending to the sink."""
    url = f"{sink.url}/v1/metrics"
    tally = Tally("metrics", protocol="http/protobuf", endpoint=sink.url)
    sender = HttpSender(url, headers={}, compress=False, tls=None, rejected=lambda _: (0, ""))
    outbox = Outbox(sender, tally, limit=8_000_000, timeout=10)
    reading = DeltaReader(outbox, tally, Writer("tests", shared=False), interval=3600)
    return reading, tally, provider(reading)


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, -1, -0.5, 10**400, "1", None, Hostile(), [1], 1j, object()],
    ids=lambda value: type(value).__name__,
)
def test_values_that_cannot_be_taken_are_counted(value: Any) -> None:
    read = reader()
    made = provider(read)
    meter = made.get_meter("tests")
    counter, histogram = meter.create_counter("count"), meter.create_histogram("time")
    gauge = meter.create_gauge("level")
    below_zero = type(value) in (int, float) and -1 <= value < 0
    for _ in range(2):
        counter.add(value)
        histogram.record(value, {"a": 1})
        counter.add(1)
        if not below_zero:
            gauge.set(value)
    assert made.take_dropped() == (4 if below_zero else 6)
    assert made.take_dropped() == 0
    assert values(read, "count") == {(): 2}


def test_numbers_of_other_kinds_count() -> None:
    read = InMemoryMetricReader()
    meter = provider(read).get_meter("tests")
    counter, level = meter.create_counter("count"), meter.create_up_down_counter("level")
    time = meter.create_histogram("time")
    for value in (decimal.Decimal("1.5"), True, 2, 0.25):
        counter.add(value)  # type: ignore[arg-type]
        level.add(value)  # type: ignore[arg-type]
        time.record(value)  # type: ignore[arg-type]
    level.add(-10)
    found = {name: getattr(point, "value", getattr(point, "sum", None)) for name, _, point in points(read)}
    assert found == {"count": 4.75, "level": -5.25, "time": 4.75}


def test_sets_that_are_equal_once_redacted_are_one() -> None:
    read = reader()
    made = provider(read, redact=lambda key, value: "[gone]" if key == "mail" else value)
    meter = made.get_meter("tests")
    for number in range(10):
        meter.create_counter("count").add(1, {"mail": f"{number}@example.org", "a": 1})
        meter.create_gauge("level").set(number, {"mail": f"{number}@example.org"})
    found = {name: (point.attributes, point.value) for name, _, point in points(read)}
    assert found == {"count": ({"mail": "[gone]", "a": 1}, 10), "level": ({"mail": "[gone]"}, 9)}


def test_the_most_varied_attribute() -> None:
    assert most_varied([{"a": 1}, {"a": 1, "b": 1}, {"a": True, "b": 2}, {"b": [3]}]) == ("b", 3)

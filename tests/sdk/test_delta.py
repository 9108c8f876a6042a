"""No two points of one series share a second, however often metrics are flushed."""

from __future__ import annotations

import time
from collections import Counter

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from otel_kit.sdk.delivery.writer import Writer
from otel_kit.sdk.metrics.delta import MAX_AHEAD, Seconds
from otel_kit.sdk.otlp.metrics import MetricsEncoder
from tests.sdk.run import endpoint, lines, script
from tests.sdk.sink import running_sink

SECOND = 10**9


def collection(start: int, end: int) -> MetricsData:
    """A collection with one delta point and one gauge."""
    delta = NumberDataPoint(attributes={}, start_time_unix_nano=start, time_unix_nano=end, value=1)
    total = Sum(data_points=[delta], aggregation_temporality=AggregationTemporality.DELTA, is_monotonic=True)
    level = Gauge(
        data_points=[
            NumberDataPoint(attributes={}, start_time_unix_nano=0, time_unix_nano=end, value=1),
        ]
    )
    metrics = [
        Metric(name=name, description="", unit="", data=data)
        for name, data in (("total", total), ("level", level))
    ]
    scope = ScopeMetrics(scope=InstrumentationScope("tests"), metrics=metrics, schema_url="")
    return MetricsData(
        resource_metrics=[ResourceMetrics(resource=Resource({}), scope_metrics=[scope], schema_url="")]
    )


def sent(seconds: Seconds, data: MetricsData) -> tuple[int, int, int]:
    """Start and end of the delta point as it is sent, and the time of the gauge."""
    encoder = MetricsEncoder(lambda *_: None, largest=1000)
    [(body, points)] = encoder.requests(data, seconds.shift(data))
    assert points == 2
    metrics = ExportMetricsServiceRequest.FromString(body).resource_metrics[0].scope_metrics[0].metrics
    point = metrics[0].sum.data_points[0]
    return (
        point.start_time_unix_nano,
        point.time_unix_nano,
        metrics[1].gauge.data_points[0].time_unix_nano,
    )


def test_a_process_that_flushes_eight_times_a_second_loses_no_addition() -> None:
    with running_sink() as sink:
        with script("flushes", endpoint(sink)) as part:
            assert part.wait() == 0
        seen = sink.seen
    assert seen.total("additions") == 9
    assert len(seen.named("additions")) == 9
    assert max(Counter((*p.series, p.time // SECOND) for p in seen.points).values()) == 1
    points = sorted(seen.named("additions"), key=lambda p: p.time)
    assert all(points[n].time <= points[n + 1].start for n in range(len(points) - 1))
    assert {p.temporality for p in seen.points} == {1}


def test_flushes_that_are_put_off_say_so_and_lose_nothing() -> None:
    with running_sink() as sink:
        with script("flood", {**endpoint(sink), "COUNT": "0"}) as part:
            assert part.wait() == 0
            put_off = int(part.output().partition("put off ")[2].split()[0])
        seen = sink.seen
    assert seen.total("additions") == 75
    assert 75 - MAX_AHEAD - 10 < put_off < 75 - MAX_AHEAD + 10
    assert len(seen.named("additions")) == 75 - put_off + 1


def test_metrics_go_on_when_the_clock_is_set_back() -> None:
    with running_sink() as sink:
        with script("set-back", endpoint(sink)) as part:
            assert part.wait() == 0, part.output()
            said = [line["message"] for line in lines(part) if "set back" in line["message"]]
        points = sink.seen.named("additions")
    assert [p.value for p in points] == [1, 1, 1, 1]
    assert len({p.time // SECOND for p in points}) == 4
    assert 3590 < (points[0].time - points[1].time) / SECOND < 3610
    assert all(p.start <= p.time for p in points)
    assert [message.partition(";")[0] for message in said] == [said[0].partition(";")[0]]


def test_collections_of_one_second_move_to_the_next_free_ones() -> None:
    seconds = Seconds(Writer("tests", shared=False))
    ends = []
    for number in range(4):
        data = collection(100 * SECOND + number, 100 * SECOND + number + 1)
        start, end, level = sent(seconds, data)
        assert level == end
        assert start <= end
        ends.append(end // SECOND)
    assert ends == [100, 101, 102, 103]
    start, end, _ = sent(seconds, collection(100 * SECOND + 9, 110 * SECOND))
    assert start == 103 * SECOND + 4
    assert end == 110 * SECOND


def test_stamps_do_not_run_far_ahead_of_the_clock() -> None:
    seconds = Seconds(Writer("tests", shared=False))
    now = time.time_ns()
    made = 0
    while seconds.free():
        seconds.shift(collection(now, now))
        made += 1
    assert MAX_AHEAD <= made <= MAX_AHEAD + 2
    assert seconds.shift(MetricsData(resource_metrics=[])).by == 0

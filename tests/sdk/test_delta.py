"""No two points of one series share a second, however often metrics are flushed."""

from __future__ import annotations

import time
from collections import Counter

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality

from otel_kit.sdk.delivery.delta import MAX_AHEAD, Seconds
from tests.sdk.run import endpoint, lines, script
from tests.sdk.sink import running_sink

SECOND = 10**9


def request(start: int, end: int) -> ExportMetricsServiceRequest:
    """A collection with one delta point and one gauge."""
    made = ExportMetricsServiceRequest()
    metrics = made.resource_metrics.add().scope_metrics.add().metrics
    total = metrics.add(name="total").sum
    total.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
    total.data_points.add(start_time_unix_nano=start, time_unix_nano=end, as_int=1)
    metrics.add(name="level").gauge.data_points.add(time_unix_nano=end, as_int=1)
    return made


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
    seconds = Seconds()
    ends = []
    for number in range(4):
        made = request(100 * SECOND + number, 100 * SECOND + number + 1)
        assert seconds.stamp(made) == 2
        point = made.resource_metrics[0].scope_metrics[0].metrics[0].sum.data_points[0]
        level = made.resource_metrics[0].scope_metrics[0].metrics[1].gauge.data_points[0]
        assert level.time_unix_nano == point.time_unix_nano
        assert point.start_time_unix_nano <= point.time_unix_nano
        ends.append(point.time_unix_nano // SECOND)
    assert ends == [100, 101, 102, 103]
    later = request(100 * SECOND + 9, 110 * SECOND)
    seconds.stamp(later)
    assert (
        later.resource_metrics[0].scope_metrics[0].metrics[0].sum.data_points[0].time_unix_nano
        == 110 * SECOND
    )


def test_stamps_do_not_run_far_ahead_of_the_clock() -> None:
    seconds = Seconds()
    now = time.time_ns()
    made = 0
    while seconds.free():
        seconds.stamp(request(now, now))
        made += 1
    assert MAX_AHEAD <= made <= MAX_AHEAD + 2
    assert seconds.stamp(ExportMetricsServiceRequest()) == 0

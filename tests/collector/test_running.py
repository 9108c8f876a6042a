"""What the rendered local config does to real telemetry in the real collector."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, Metric, NumberDataPoint, Sum
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.collector.pipeline import Sender, collector, rendered
from tests.collector.sink import Sink, key_values, plain, running
from tests.parts import eventually, free_port

CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
#: 2026-11-24, in nanoseconds: 19 digits, of which some look like a card number.
NOW = 1_795_411_111_111_111_111
CARD = "4111 1111 1111 1111"


def span(
    number: int, attributes: dict[str, str | int] | None = None, *, error: bool = False, span_id: int = 0
) -> Span:
    """A span of trace `number`."""
    code = Status.STATUS_CODE_ERROR if error else Status.STATUS_CODE_UNSET
    return Span(
        trace_id=number.to_bytes(16, "big"),
        span_id=(span_id or number).to_bytes(8, "big"),
        name="GET /orders/{id}",
        kind=Span.SPAN_KIND_SERVER,
        start_time_unix_nano=NOW,
        end_time_unix_nano=NOW + 1_000_000,
        attributes=key_values(attributes or {}),
        status=Status(code=code),
    )


def log(number: int, body: str, **attributes: str | int) -> LogRecord:
    return LogRecord(
        time_unix_nano=NOW + number,
        trace_id=number.to_bytes(16, "big"),
        body=AnyValue(string_value=body),
        attributes=key_values(attributes),
    )


def counter(name: str, value: int, temporality: AggregationTemporality.ValueType, second: int = 0) -> Metric:
    point = NumberDataPoint(start_time_unix_nano=NOW, time_unix_nano=NOW + (second + 1) * 10**9, as_int=value)
    return Metric(
        name=name, sum=Sum(data_points=[point], aggregation_temporality=temporality, is_monotonic=True)
    )


@dataclass(frozen=True)
class Flow:
    sink: Sink
    sender: Sender


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flow]:
    """A collector that keeps no trace without an error, after 30 good, 3 bad and 5 health-check spans."""
    folder = tmp_path_factory.mktemp("flow")
    config = rendered(folder, "sampling: {percent: 0, decision_wait: 1s}\n")
    with (
        running(Sink(free_port())) as sink,
        collector(config, sink.url, folder / "storage") as sender,
    ):
        sender.spans([span(n, {"url.path": "/orders/7"}) for n in range(1, 31)])
        secret: dict[str, str | int] = {
            "http.request.header.authorization": "Bearer abc.def",
            "payment.note": f"paid with {CARD} today",
            "gen_ai.usage.input_tokens": 12,
            "started": str(NOW),
            "db.system.name": "postgresql",
            "db.query.text": "SELECT * FROM cards WHERE owner = 'ada' AND id = 42",
        }
        sender.spans([span(100 + n, secret, error=True) for n in range(3)])
        sender.spans([span(200 + n, {"url.path": "/healthz"}) for n in range(4)])
        sender.spans([span(300, {"rpc.service": "grpc.health.v1.Health"})])
        bodies = [f"log-{n} took {n} ms" for n in range(20)] + [f"card {CARD} refused"]
        sender.logs([log(n, body, password="hunter2", user="ada") for n, body in enumerate(bodies)])
        for second, value in enumerate((5, 12, 20)):
            sender.metrics([counter("shop.cumulative", value, CUMULATIVE, second)])
            sender.metrics([counter("shop.delta", value, DELTA, second)])
        yield Flow(sink, sender)


def test_only_traces_with_an_error_are_kept(flow: Flow) -> None:
    eventually(lambda: len(flow.sink.spans) >= 3, what="sampled spans")
    assert sorted(int.from_bytes(s.trace_id, "big") for _, s in flow.sink.spans) == [100, 101, 102]


def test_span_metrics_count_what_sampling_drops_and_not_health_checks(flow: Flow) -> None:
    eventually(lambda: flow.sink.total("traces.span.metrics.calls") >= 33, what="calls")
    assert flow.sink.total("traces.span.metrics.calls", service__name="shop") == 33
    durations = [
        point
        for metric in flow.sink.metric("traces.span.metrics.duration", service__name="shop")
        for point in metric.exponential_histogram.data_points
    ]
    assert sum(point.count for point in durations) == 33
    assert sum(point.sum for point in durations) == pytest.approx(33 * 0.001)
    # Two collectors that count one service must not write one series.
    assert all("collector.instance.id" in plain(point.attributes) for point in durations)


def test_secrets_are_masked_and_everything_else_is_as_it_was(flow: Flow) -> None:
    resource, kept = eventually(lambda: flow.sink.spans[:1], what="sampled spans")[0]
    attributes = plain(kept.attributes)
    assert "abc.def" not in attributes["http.request.header.authorization"]
    assert CARD not in attributes["payment.note"]
    assert attributes["payment.note"].endswith(" today")
    assert attributes["db.query.text"] == "SELECT * FROM cards WHERE owner = ? AND id = ?"
    assert attributes["gen_ai.usage.input_tokens"] == 12
    assert attributes["started"] == str(NOW)
    assert kept.start_time_unix_nano == NOW
    assert (kept.name, len(kept.trace_id)) == ("GET /orders/{id}", 16)
    assert resource["service.instance.id"] == "shop-1"
    assert resource["deployment.environment.name"] == "local"
    dimensions = [
        plain(point.attributes)
        for metric in flow.sink.metric("traces.span.metrics.calls")
        for point in metric.sum.data_points
    ]
    assert not [d for d in dimensions if "ada" in json.dumps(d)]


def test_logs_keep_their_bodies_and_lose_their_secrets(flow: Flow) -> None:
    eventually(lambda: len(flow.sink.logs) >= 21, what="logs")
    records = sorted((record for _, record in flow.sink.logs), key=lambda r: r.time_unix_nano)
    assert [r.body.string_value for r in records[:20]] == [f"log-{n} took {n} ms" for n in range(20)]
    assert [int.from_bytes(r.trace_id, "big") for r in records] == list(range(21))
    assert CARD not in records[20].body.string_value
    assert records[20].body.string_value.startswith("card ")
    assert all(plain(r.attributes)["user"] == "ada" for r in records)
    assert all(plain(r.attributes)["password"] != "hunter2" for r in records)


def test_metrics_leave_as_delta(flow: Flow) -> None:
    eventually(lambda: flow.sink.total("shop.cumulative") >= 15, what="shop.cumulative")
    # The first value, 5, was reached before the collector came: it is the start, not a difference.
    assert flow.sink.total("shop.cumulative") == 15
    assert flow.sink.total("shop.delta") == 37
    sums = [m.sum for _, m in list(flow.sink.metrics) if m.WhichOneof("data") == "sum"]
    assert {s.aggregation_temporality for s in sums if s.is_monotonic} == {DELTA}


def test_every_request_says_what_datadog_needs_and_is_small_enough(flow: Flow) -> None:
    eventually(lambda: flow.sink.requests, what="requests")
    for request in list(flow.sink.requests):
        assert request.headers["dd-api-key"] == "an-api-key"
        assert json.loads(request.headers["dd-otel-metric-config"])["resource_attributes_as_tags"] is True
        assert request.sizes[0] <= 500_000
        assert request.sizes[1] <= 1_000_000


@pytest.mark.slow
def test_what_the_collector_tells_of_itself_arrives_and_does_not_multiply(flow: Flow) -> None:
    def accepted() -> int:
        return flow.sink.total("otelcol_receiver_accepted_spans", service__name="otel-collector")

    eventually(lambda: accepted() >= 38, what="otelcol_receiver_accepted_spans")
    assert accepted() == 38
    name = "otelcol_receiver_accepted_metric_points"
    eventually(lambda: len(flow.sink.metric(name)) >= 5, what=name)
    rounds = [sum(p.as_int for p in m.sum.data_points) for m in flow.sink.metric(name)]
    # Once nobody else sends, each round counts the points of the round before: the same number again.
    assert rounds[-1] <= max(rounds[1:-1])
    about = [r for r, m in list(flow.sink.metrics) if m.name == name]
    assert len({r["service.instance.id"] for r in about}) == 1


def test_the_collector_reports_no_trouble(flow: Flow) -> None:
    output = flow.sender.part.output()
    assert "\terror\t" not in output
    assert "\twarn\t" not in output


def test_nothing_is_lost_when_datadog_is_away_and_the_collector_is_killed(tmp_path: Path) -> None:
    config = rendered(tmp_path)
    sink = Sink(free_port())
    with collector(config, sink.url, tmp_path / "storage") as sender:
        for batch in range(10):
            sender.logs([log(n, f"log {n}") for n in range(batch * 20, batch * 20 + 20)])
            sender.metrics([counter("shop.orders", 7, DELTA, batch)])
            sender.spans([span(n) for n in range(batch * 20 + 1, batch * 20 + 21)])
        sender.part.kill()
    assert not sink.requests
    with running(sink), collector(config, sink.url, tmp_path / "storage"):
        eventually(lambda: len(sink.logs) >= 200 and len(sink.spans) >= 200, what="logs and spans")
        eventually(lambda: sink.total("shop.orders") >= 70, what="shop.orders")
    assert sorted(r.body.string_value for _, r in sink.logs) == sorted(f"log {n}" for n in range(200))
    assert sorted(int.from_bytes(s.trace_id, "big") for _, s in sink.spans) == list(range(1, 201))
    assert sink.total("shop.orders") == 70

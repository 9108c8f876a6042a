"""Metrics in, over HTTP: types, temporality, the header that configures them, last write wins."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from google.protobuf import json_format
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from tests.dev.otlp import KEY, counts, histogram, metrics, resource
from tests.dev.process import Dev, losses, send, series

DELTA = AggregationTemporality.DELTA


def test_metrics_of_an_sdk_become_counts_gauges_and_distributions(dev: Dev) -> None:
    exporter = OTLPMetricExporter(
        f"{dev.url}/v1/metrics", headers=KEY, preferred_temporality={Counter: DELTA, Histogram: DELTA}
    )
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
    provider = MeterProvider(metric_readers=[reader], resource=Resource.create({"service.name": "meter"}))
    meter = provider.get_meter("t")
    meter.create_counter("sdk.count").add(3, {"Route": "/A b", "flag": True, "empty": ""})
    meter.create_up_down_counter("sdk.updown").add(2)
    for value in (0.2, 0.5, 0.4):
        meter.create_histogram("sdk.hist").record(value)
    provider.shutdown()

    types = {m["name"]: m["type"] for m in dev.get("/dev/api/metrics")}
    assert (types["sdk.count"], types["sdk.updown"], types["sdk.hist"]) == ("count", "gauge", "distribution")
    ((tags, points),) = series(dev, "sdk.count").items()
    assert tags == {"service:meter", "route:/a_b", "flag:true", "empty:n/a"}
    assert [value for _, value in points] == [3.0]
    (((_, totals),),) = series(dev, "sdk.hist").values()
    assert totals == {"count": 3, "sum": pytest.approx(1.1), "min": 0.2, "max": 0.5}


def test_metrics_have_datadogs_size_limit_on_the_wire(dev: Dev) -> None:
    status, answer = send(dev, "metrics", b" " * 500_001)
    assert (status, "longer than 500000 bytes" in answer["message"]) == (413, True)


def test_cumulative_data_is_refused_and_counted(dev: Dev) -> None:
    cumulative = counts("cumulative.one", 1, temporality=2)
    status, answer = send(dev, "metrics", metrics([cumulative, counts("delta.one", 2)]))
    assert status == 200
    assert answer["partialSuccess"]["rejectedDataPoints"] == "1"
    reason = "cumulative.one: a cumulative sum: Datadog's OTLP intake takes delta only"
    assert reason in answer["partialSuccess"]["errorMessage"]
    assert losses(dev)["metrics", reason] == 1
    assert len(series(dev, "delta.one")) == 1
    # Nothing of it is usable: then it is an error, not a partial success.
    status, answer = send(dev, "metrics", metrics([histogram("cumulative.two", [1, 2], temporality=2)]))
    assert (status, "a cumulative histogram" in answer["message"]) == (400, True)
    assert series(dev, "cumulative.two") == {}


def test_partial_success_in_protobuf(dev: Dev) -> None:
    body = metrics([counts("proto.cumulative", 1, temporality=2), counts("proto.delta", 1)])
    request = json_format.ParseDict(body, ExportMetricsServiceRequest()).SerializeToString()
    _, answer = send(dev, "metrics", request, content_type="application/x-protobuf")
    assert ExportMetricsServiceResponse.FromString(answer).partial_success.rejected_data_points == 1


def test_the_last_of_two_points_of_one_second_wins_and_the_other_is_counted(dev: Dev) -> None:
    at = time.time_ns() // 1_000_000_000 * 1_000_000_000
    later = at + 900_000_000
    for first, second in (
        (counts("twice", 5, at=at), counts("twice", 7, at=later)),
        (histogram("twice.hist", [5], at=at), histogram("twice.hist", [7], at=later)),
    ):
        assert send(dev, "metrics", metrics([first]))[0] == 200
        assert send(dev, "metrics", metrics([second]))[0] == 200
    (points,) = series(dev, "twice").values()
    assert points == [[at // 1_000_000_000, 7.0]]
    (points,) = series(dev, "twice.hist").values()
    assert [p["sum"] for _, p in points] == [7.0]
    for name in ("twice", "twice.hist"):
        assert losses(dev)["metrics", f"{name}: overwritten by a point of the same tags and second"] == 1


def test_writers_are_told_apart_only_by_what_becomes_a_tag(dev: Dev) -> None:
    at = time.time_ns() // 1_000_000_000 * 1_000_000_000
    for name, config in (("apart", '{"resource_attributes_as_tags": true}'), ("merged", "")):
        for number, instance in enumerate(("one", "two")):
            writer = resource({"service.name": "w", "service.instance.id": instance})
            body = metrics([counts(f"writers.{name}", 1, at=at + number)], writer)
            assert send(dev, "metrics", body, dd_otel_metric_config=config)[0] == 200
    assert len(series(dev, "writers.apart")) == 2
    assert len(series(dev, "writers.merged")) == 1
    reason = "writers.merged: overwritten by a point of the same tags and second"
    assert losses(dev)["metrics", reason] == 1


def test_the_metric_config_header(dev: Dev) -> None:
    def sent(name: str, config: Any) -> dict[str, dict[frozenset[str], list[Any]]]:
        body = metrics([histogram(name, [0.5, 3], bounds=[1, 2])])
        assert send(dev, "metrics", body, dd_otel_metric_config=json.dumps(config))[0] == 200
        known = [m["name"] for m in dev.get("/dev/api/metrics") if m["name"].startswith(name)]
        return {key: series(dev, key) for key in known}

    found = sent("mode.buckets", {"histograms": {"mode": "counters"}})
    buckets = {
        tuple(sorted(t for t in tags if "bound" in t)): points[0][1]
        for tags, points in found["mode.buckets.bucket"].items()
    }
    assert buckets == {
        ("lower_bound:-inf", "upper_bound:1"): 1,
        ("lower_bound:1", "upper_bound:2"): 0,
        ("lower_bound:2", "upper_bound:inf"): 1,
    }
    found = sent("mode.totals", {"histograms": {"mode": "nobuckets", "send_aggregation_metrics": True}})
    totals = {name: next(iter(s.values()))[0][1] for name, s in found.items()}
    assert totals == {
        "mode.totals.count": 2,
        "mode.totals.sum": 3.5,
        "mode.totals.min": 0.5,
        "mode.totals.max": 3,
    }
    found = sent("mode.scope", {"instrumentation_scope_metadata_as_tags": True})
    assert {"instrumentation_scope:scope", "instrumentation_scope_version:1.0"} <= next(
        iter(found["mode.scope"])
    )


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "must be an object"),
        ('{"resource_attributes_as_tag": true}', "did you mean 'resource_attributes_as_tags'?"),
        ('{"histograms": {"moed": "counters"}}', "unknown key histograms.moed; did you mean 'mode'?"),
        (
            '{"histograms": {"mode": "buckets"}}',
            "histograms.mode must be one of distributions, counters, nobuckets",
        ),
        ('{"histograms": {"mode": "nobuckets"}}', "keeps nothing"),
        ('{"resource_attributes_as_tags": "yes"}', "must be true or false"),
    ],
)
def test_a_wrong_metric_config_is_refused(dev: Dev, config: str, message: str) -> None:
    status, answer = send(dev, "metrics", metrics([counts("x", 1)]), dd_otel_metric_config=config)
    assert status == 400
    assert message in answer["message"]


def test_a_name_has_one_type(dev: Dev) -> None:
    assert send(dev, "metrics", metrics([counts("typed", 1)]))[0] == 200
    assert send(dev, "metrics", metrics([histogram("typed", [1])]))[0] == 200
    assert losses(dev)["metrics", "typed: a distribution under the name of a count"] == 1


@pytest.mark.parametrize("key", ["sum", "min", "max"])
@pytest.mark.parametrize("word", ["NaN", "Infinity"])
def test_a_histogram_with_a_number_that_is_none_is_refused_and_counted(dev: Dev, key: str, word: str) -> None:
    name = f"odd.{key}.{word.lower()}"
    found = histogram(name, [1])
    found["histogram"]["dataPoints"][0][key] = word
    status, answer = send(dev, "metrics", metrics([found]))
    assert (status, f"a malformed histogram: the {key} is" in answer["message"]) == (400, True)
    point = {"count": "1", "scale": 0, "positive": {"bucketCounts": ["1"]}, "timeUnixNano": "1" + "0" * 18}
    exponential = {"aggregationTemporality": 1, "dataPoints": [{**point, key: word}]}
    status, answer = send(dev, "metrics", metrics([{"name": name, "exponentialHistogram": exponential}]))
    assert (status, f"a malformed histogram: the {key} is" in answer["message"]) == (400, True)
    assert series(dev, name) == {}
    assert sum(n for (_, reason), n in losses(dev).items() if reason.startswith(f"{name}: ")) == 2


def test_a_zero_bucket_without_a_width_is_refused(dev: Dev) -> None:
    point = {"count": "1", "zeroCount": "1", "zeroThreshold": "NaN", "timeUnixNano": "1" + "0" * 18}
    body = {"aggregationTemporality": 1, "dataPoints": [point]}
    status, answer = send(dev, "metrics", metrics([{"name": "odd.zero", "exponentialHistogram": body}]))
    assert (status, "no finite numbers" in answer["message"]) == (400, True)

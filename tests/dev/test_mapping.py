"""What Datadog makes of OTLP, case by case: spans, tags, names, histograms, statuses."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import ExponentialHistogramDataPoint, HistogramDataPoint

from otel_kit.dev.evaluate.distributions import percentile
from otel_kit.dev.intake.attributes import Resource, metric_name, normalise_tag, tag
from otel_kit.dev.intake.logs import log_status
from otel_kit.dev.intake.metric_config import MetricConfig
from otel_kit.dev.intake.metrics import map_metrics
from otel_kit.dev.intake.sketches import from_explicit, from_exponential
from otel_kit.dev.intake.spans import operation_of, resource_of, type_of
from tests.dev.otlp import counts, metrics, resource

#: Seen: what the Datadog exporter and connector of collector 0.144 made of these.
SPANS: list[tuple[str, dict[str, Any], tuple[str, str, str]]] = [
    (
        "server",
        {"http.request.method": "GET", "http.route": "/orders/{id}"},
        ("http.server.request", "GET /orders/{id}", "web"),
    ),
    ("server", {"http.request.method": "GET"}, ("http.server.request", "GET", "web")),
    ("server", {"http.method": "GET"}, ("http.server.request", "GET", "web")),
    ("client", {"http.request.method": "GET", "http.route": "/x"}, ("http.client.request", "GET", "http")),
    (
        "server",
        {"rpc.system": "grpc", "rpc.service": "shop.Stock", "rpc.method": "Get"},
        ("grpc.server.request", "Get shop.Stock", "web"),
    ),
    (
        "client",
        {"rpc.system": "grpc", "rpc.service": "shop.Stock", "rpc.method": "Get"},
        ("grpc.client.request", "Get shop.Stock", "http"),
    ),
    ("client", {"db.system": "redis", "db.statement": "GET k"}, ("redis.query", "GET", "redis")),
    (
        "client",
        {"db.system.name": "postgresql", "db.query.text": "SELECT 1"},
        ("client.request", "the name", "http"),
    ),
    (
        "producer",
        {
            "messaging.system": "gcp_pubsub",
            "messaging.operation": "publish",
            "messaging.destination.name": "orders",
        },
        ("gcp_pubsub.publish", "publish orders", "custom"),
    ),
    (
        "consumer",
        {
            "messaging.system": "gcp_pubsub",
            "messaging.operation": "process",
            "messaging.destination.name": "orders-sub",
        },
        ("gcp_pubsub.process", "process orders-sub", "custom"),
    ),
    ("internal", {}, ("Internal", "the name", "custom")),
]


@pytest.mark.parametrize(("kind", "attributes", "expected"), SPANS)
def test_operation_resource_and_type(
    kind: str, attributes: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    found = (
        operation_of(kind, attributes),
        resource_of(kind, attributes, "the name"),
        type_of(kind, attributes),
    )
    assert found == expected


def test_queries_lose_their_literals() -> None:
    sql = {"db.system": "postgresql", "db.statement": "select * from o where id = 17 and n = 'it''s'"}
    assert resource_of("client", sql, "n") == "select * from o where id = ? and n = ?"
    assert type_of("client", sql) == "sql"


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("Route", "/Orders/{id}", "route:/orders/_id"),
        ("flag", True, "flag:true"),
        ("n", 5, "n:5"),
        ("empty", "", "empty:n/a"),
        ("none", None, "none:n/a"),
        ("list", ["a", "b"], "list:_a_b"),
        ("odd key!", "a  b__c#", "odd_key_:a_b_c"),
        ("1st", "x", "st:x"),
        ("_x", "y", "x:y"),
        ("long", "x" * 300, "long:" + "x" * 195),
        ("Ümlaut", "Ä", "ümlaut:ä"),
        ("url", "http://h:80/a-b.c", "url:http://h:80/a-b.c"),
    ],
)
def test_tags(key: str, value: Any, expected: str) -> None:
    assert tag(key, value) == expected
    assert normalise_tag(expected) == expected


def test_any_tag_is_normalised_once_and_for_all() -> None:
    source = random.Random(5)
    for _ in range(500):
        text = "".join(
            chr(source.choice((source.randint(32, 126), source.randint(160, 0x2FF)))) for _ in range(40)
        )
        found = normalise_tag(text * source.randint(1, 8))
        assert len(found) <= 200
        assert normalise_tag(found) == found
        assert "__" not in found
        assert not found.endswith("_")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("my-gauge weird/Name", "my_gauge_weird_Name"),
        ("9a.b_c", "a.b_c"),
        ("_x", "x"),
        ("é!", ""),
        ("a" * 300, "a" * 200),
    ],
)
def test_metric_names(name: str, expected: str) -> None:
    assert metric_name(name) == expected


def test_the_resource_gives_unified_tags_and_a_host() -> None:
    found = Resource(
        {
            "service.name": "orders",
            "deployment.environment.name": "Prod",
            "service.version": "1.2",
            "k8s.pod.name": "orders-1",
            "k8s.node.name": "n1",
            "k8s.cluster.name": "c1",
            "custom.thing": "x",
        }
    )
    assert set(found.mapped_tags) == {
        "service:orders",
        "env:prod",
        "version:1.2",
        "pod_name:orders-1",
        "kube_cluster_name:c1",
        "host:n1-c1",
    }
    assert "custom.thing:x" in found.all_tags
    assert (Resource({}).service, Resource({}).mapped_tags) == ("otlpresourcenoservicename", ())
    assert Resource({"host.name": "h", "host.id": "i"}).mapped_tags == ("host:i",)


@pytest.mark.parametrize(
    ("text", "number", "expected"),
    [
        ("INFO", 0, "info"),
        ("Warning", 0, "warn"),
        ("ERROR", 9, "error"),
        ("FATAL", 0, "emergency"),
        ("critical", 0, "critical"),
        ("DEBUG", 0, "debug"),
        ("TRACE", 0, "debug"),
        ("OK", 0, "ok"),
        ("", 1, "debug"),
        ("", 9, "info"),
        ("", 13, "warn"),
        ("", 17, "error"),
        ("", 24, "emergency"),
        ("", 0, "info"),
        ("xyz", 17, "info"),
    ],
)
def test_log_statuses(text: str, number: int, expected: str) -> None:
    assert log_status(text, number) == expected


def mapped(*found: dict[str, Any], config: MetricConfig | None = None) -> tuple[list[Any], dict[str, int]]:
    request = json_format.ParseDict(metrics(found, resource({})), ExportMetricsServiceRequest())
    points, losses = map_metrics(request, config or MetricConfig())
    return points, {loss.reason: loss.count for loss in losses}


def test_an_updown_counter_is_a_gauge_and_a_monotonic_cumulative_sum_is_refused() -> None:
    updown = counts("active", 3, temporality=2)
    updown["sum"]["isMonotonic"] = False
    points, lost = mapped(updown, counts("total", 3, temporality=2), counts("unset", 3, temporality=0))
    assert [(p.metric, p.type, p.value) for p in points] == [("active", "gauge", 3.0)]
    assert set(lost) == {
        "total: a cumulative sum: Datadog's OTLP intake takes delta only",
        "unset: a cumulative sum: Datadog's OTLP intake takes delta only",
    }


def test_points_that_say_nothing_or_nonsense() -> None:
    absent = counts("absent", 3)
    absent["sum"]["dataPoints"][0]["flags"] = 1
    nan = counts("nan", 3)
    nan["sum"]["dataPoints"][0]["asDouble"] = "NaN"
    timeless = counts("timeless", 3)
    timeless["sum"]["dataPoints"][0]["timeUnixNano"] = "0"
    points, lost = mapped(absent, nan, timeless, counts("é", 1))
    assert points == []
    assert lost == {
        "nan: the value nan is no number": 1,
        "timeless: the point has no usable timestamp": 1,
        "é: the name 'é' has no letter to start with": 1,
    }


def test_a_summary_keeps_its_quantiles() -> None:
    point = {
        "timeUnixNano": "5000000000",
        "count": "4",
        "sum": 2,
        "quantileValues": [{"quantile": 0.5, "value": 0.4}, {"quantile": 1, "value": 0.9}],
    }
    summary = {"name": "s", "summary": {"dataPoints": [point]}}
    points, lost = mapped(summary)
    assert [(p.metric, p.type, p.tags, p.value) for p in points] == [
        ("s.quantile", "gauge", ("quantile:0.5",), 0.4),
        ("s.quantile", "gauge", ("quantile:1.0",), 0.9),
    ]
    assert sum(lost.values()) == 1
    assert mapped(summary, config=MetricConfig(summaries_mode="noquantiles"))[0] == []


def test_explicit_histograms_are_narrowed_by_their_extremes() -> None:
    point = HistogramDataPoint(
        count=4, sum=10, min=0.5, max=7, explicit_bounds=[1, 2, 5], bucket_counts=[1, 0, 2, 1]
    )
    found = from_explicit(point)
    assert found is not None
    assert (found.count, found.sum, found.min, found.max) == (4, 10, 0.5, 7)
    assert found.buckets == ((0.5, 1, 1), (2, 5, 2), (5, 7, 1))
    open_ended = HistogramDataPoint(count=2, sum=9, explicit_bounds=[1, 5], bucket_counts=[1, 0, 1])
    found = from_explicit(open_ended)
    assert found is not None
    assert (found.min, found.max, found.buckets) == (1, 5, ((1, 1, 1), (5, 5, 1)))
    bare = from_explicit(HistogramDataPoint(count=2, sum=9))
    assert bare is not None
    assert (bare.min, bare.max, bare.buckets) == (4.5, 4.5, ((4.5, 4.5, 2),))
    assert from_explicit(HistogramDataPoint(count=0, explicit_bounds=[1], bucket_counts=[0, 0])) is None


@pytest.mark.parametrize(
    "point",
    [
        HistogramDataPoint(count=1, explicit_bounds=[1], bucket_counts=[1]),
        HistogramDataPoint(count=5, explicit_bounds=[1], bucket_counts=[1, 1]),
        HistogramDataPoint(count=2, explicit_bounds=[2, 1], bucket_counts=[1, 1, 0]),
        HistogramDataPoint(count=2, explicit_bounds=[1, math.inf], bucket_counts=[1, 1, 0]),
    ],
)
def test_a_histogram_that_contradicts_itself_is_refused(point: HistogramDataPoint) -> None:
    with pytest.raises(ValueError, match=r"bucket counts|the bounds"):
        from_explicit(point)


def test_exponential_histograms() -> None:
    positive = ExponentialHistogramDataPoint.Buckets(offset=0, bucket_counts=[1, 2])
    negative = ExponentialHistogramDataPoint.Buckets(offset=1, bucket_counts=[3])
    point = ExponentialHistogramDataPoint(
        count=7, sum=1, scale=0, zero_count=1, positive=positive, negative=negative
    )
    found = from_exponential(point)
    assert found is not None
    assert found.buckets == ((-4, -2, 3), (0, 0, 1), (1, 2, 1), (2, 4, 2))
    assert (found.count, found.min, found.max) == (7, -4, 4)
    assert -4 <= percentile(found, 10) <= -2
    assert percentile(found, 50) == 0
    point.scale = -10
    wide = from_exponential(point)
    assert wide is not None
    assert all(math.isfinite(edge) for low, high, _ in wide.buckets for edge in (low, high))

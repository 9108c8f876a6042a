"""Metrics as bytes: equal, once parsed, to what OpenTelemetry's own encoder makes of them."""

from __future__ import annotations

import math
import random
from typing import Any

from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.sdk.metrics import Exemplar
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Buckets,
    ExponentialHistogram,
    ExponentialHistogramDataPoint,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from otel_kit.sdk.otlp.metrics import MetricsEncoder, Shift
from tests.sdk.random_data import attributes, text

LARGEST = 3_500_000
NUMBERS: list[Any] = [
    0,
    1,
    -1,
    2**63 - 1,
    -(2**63),
    127,
    128,
    16384,
    0.0,
    -0.5,
    1e308,
    5e-324,
    math.inf,
    -math.inf,
]


class Chance(random.Random):
    """Random pieces of metrics."""

    def times(self) -> dict[str, int]:
        begin, end = sorted(self.choice([0, self.getrandbits(62), 1_795_558_665_561_641_726]) for _ in "ab")
        return {"start_time_unix_nano": begin, "time_unix_nano": end}

    def exemplars(self) -> list[Exemplar]:
        ids: list[Any] = [(self.getrandbits(64), self.getrandbits(128)), (None, None)]
        made = []
        for _ in range(self.choice([0, 0, 1, 3])):
            span, trace = self.choice(ids)
            filtered = self.choice([None, attributes(self)])
            made.append(Exemplar(filtered, self.choice(NUMBERS), self.getrandbits(62), span, trace))
        return made

    def number(self) -> NumberDataPoint:
        return NumberDataPoint(
            attributes=attributes(self),
            **self.times(),
            value=self.choice([*NUMBERS, self.randrange(10**6), self.gauss(0, 1)]),
            exemplars=self.exemplars(),
        )

    def histogram(self) -> HistogramDataPoint:
        bounds = sorted({self.gauss(0, 100) for _ in range(self.randrange(20))})
        return HistogramDataPoint(
            attributes=attributes(self),
            **self.times(),
            count=self.randrange(2**63),
            sum=self.choice([0, 7, -0.25, self.gauss(0, 1e6)]),
            bucket_counts=[self.randrange(10**6) for _ in range(len(bounds) + 1)],
            explicit_bounds=bounds,
            min=self.choice([0, self.gauss(0, 1)]),
            max=self.choice([0, self.gauss(0, 1)]),
            exemplars=self.exemplars(),
        )

    def buckets(self) -> Buckets:
        counts = [self.choice([0, 1, 300, 2**40]) for _ in range(self.randrange(5))]
        return Buckets(offset=self.randrange(-1000, 1000), bucket_counts=counts)

    def exponential(self) -> ExponentialHistogramDataPoint:
        return ExponentialHistogramDataPoint(
            attributes=attributes(self),
            **self.times(),
            count=self.randrange(10**9),
            sum=self.gauss(0, 1e6),
            scale=self.randrange(-10, 21),
            zero_count=self.choice([0, 5]),
            positive=self.buckets(),
            negative=self.buckets(),
            flags=self.choice([0, 1]),
            min=self.gauss(0, 1),
            max=self.gauss(0, 1),
            exemplars=self.exemplars(),
        )

    def metric(self) -> Metric:
        temporality = self.choice([AggregationTemporality.DELTA, AggregationTemporality.CUMULATIVE])
        kind, point = self.choice(
            [
                (Gauge, self.number),
                (Sum, self.number),
                (Histogram, self.histogram),
                (ExponentialHistogram, self.exponential),
            ]
        )
        more: dict[str, Any] = {} if kind is Gauge else {"aggregation_temporality": temporality}
        if kind is Sum:
            more["is_monotonic"] = self.random() < 0.5
        data: Any = kind(data_points=[point() for _ in range(self.randrange(1, 5))], **more)
        return Metric(name=text(self), description=text(self), unit=text(self), data=data)

    def collection(self) -> MetricsData:
        made = []
        for number in range(self.randrange(1, 3)):
            scopes = []
            for name in range(self.randrange(1, 4)):
                scope = InstrumentationScope(f"scope{name}", text(self), text(self), {"a": text(self)})
                metrics = [self.metric() for _ in range(self.randrange(1, 5))]
                scopes.append(ScopeMetrics(scope=scope, metrics=metrics, schema_url=""))
            resource = Resource({"number": number, "text": text(self)}, text(self))
            made.append(ResourceMetrics(resource=resource, scope_metrics=scopes, schema_url=""))
        return MetricsData(resource_metrics=made)


def parsed(data: MetricsData) -> ExportMetricsServiceRequest:
    """The request of one collection, read back."""
    encoder = MetricsEncoder(lost_nothing, largest=100_000_000)
    [(body, _)] = encoder.requests(data, Shift())
    return ExportMetricsServiceRequest.FromString(body)


def lost_nothing(items: int, reason: str, detail: str) -> None:
    raise AssertionError(f"{items} lost: {reason} {detail}")


def one(data: Any, name: str = "m") -> MetricsData:
    """A collection of one metric."""
    metric = Metric(name=name, description="", unit="", data=data)
    scope = ScopeMetrics(scope=InstrumentationScope("s"), metrics=[metric], schema_url="")
    return MetricsData(resource_metrics=[ResourceMetrics(Resource({"r": 1}), [scope], "")])


def level(value: float, **tags: Any) -> NumberDataPoint:
    """A point of a gauge."""
    return NumberDataPoint(attributes=tags, start_time_unix_nano=0, time_unix_nano=1, value=value)


def test_random_collections_are_what_the_protobuf_encoder_makes_of_them() -> None:
    for seed in range(100):
        data = Chance(seed).collection()
        expected = encode_metrics(data)
        assert parsed(data) == expected, seed


def test_a_large_collection_becomes_several_requests_with_all_points() -> None:
    points = [level(number, text="x" * 100, n=str(number)) for number in range(500)]
    data = one(Gauge(data_points=points))
    encoder = MetricsEncoder(lost_nothing, largest=5000)
    made = list(encoder.requests(data, Shift()))
    assert all(len(body) < 5200 for body, _ in made)
    assert sum(count for _, count in made) == 500
    seen = [
        point.as_int
        for body, _ in made
        for point in ExportMetricsServiceRequest.FromString(body)
        .resource_metrics[0]
        .scope_metrics[0]
        .metrics[0]
        .gauge.data_points
    ]
    assert seen == list(range(500))


def test_points_that_cannot_be_sent_are_told_and_cost_no_other() -> None:
    lost: list[tuple[int, str, str]] = []
    encoder = MetricsEncoder(lambda *what: lost.append(what), largest=5000)
    points = [level(10**400), level(1), level(2, text="x" * 10_000), level(10**20)]
    [(body, count)] = encoder.requests(one(Gauge(data_points=points)), Shift())
    gauge = ExportMetricsServiceRequest.FromString(body).resource_metrics[0].scope_metrics[0].metrics[0].gauge
    assert count == 2
    assert [(p.as_int, p.as_double) for p in gauge.data_points] == [(1, 0), (0, 1e20)]
    assert [(items, reason) for items, reason, _ in lost] == [(1, "encode"), (1, "too_large")]


def test_extremes_that_are_not_recorded_are_left_out() -> None:
    point = HistogramDataPoint(
        attributes={},
        start_time_unix_nano=0,
        time_unix_nano=1,
        count=1,
        sum=1,
        bucket_counts=[1],
        explicit_bounds=[],
        min=math.inf,
        max=-math.inf,
    )
    found = parsed(one(Histogram([point], AggregationTemporality.CUMULATIVE)))
    sent = found.resource_metrics[0].scope_metrics[0].metrics[0].histogram.data_points[0]
    assert not sent.HasField("min")
    assert not sent.HasField("max")

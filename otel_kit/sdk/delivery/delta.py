"""Collects delta metrics every few seconds, so that no two points of one series ever share a second.

Datadog keeps whole seconds and, of two points of one series in the same second, only the last. A flush right
after a periodic collection would so erase the periodic one. Here the later collection moves to the next free
second.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.sdk.metrics import Counter, Histogram, ObservableCounter
from opentelemetry.sdk.metrics.export import AggregationTemporality, MetricReader

from otel_kit.sdk.delivery.batch import MAX_BODY
from otel_kit.sdk.delivery.outbox import Outbox, Payload
from otel_kit.sdk.delivery.tally import Tally
from otel_kit.sdk.delivery.threads import spawn
from otel_kit.sdk.notes import LOGGER, quietly

if TYPE_CHECKING:
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
    from opentelemetry.sdk.metrics.export import MetricsData

__all__ = ["DELTA", "DeltaReader", "Seconds"]

_SECOND: Final = 1_000_000_000
#: How far a stamp may run ahead of the clock; Datadog takes points up to ten minutes ahead.
MAX_AHEAD: Final = 60
_DELTA: Final = AggregationTemporality.DELTA
#: What Datadog can use; the kinds that go up and down stay cumulative, where each point is the value itself.
DELTA: Final[dict[type, AggregationTemporality]] = {
    Counter: _DELTA,
    ObservableCounter: _DELTA,
    Histogram: _DELTA,
}


class Seconds:
    """Gives each collection a second of its own."""

    def __init__(self) -> None:
        self._last = 0
        self._clock = 0  # at the last collection, before it was moved

    def free(self) -> bool:
        """False when stamps are so far ahead of the clock that a collection should rather wait."""
        now = time.time_ns()
        return self._stepped_back(now) or self._last - now < MAX_AHEAD * _SECOND

    def _stepped_back(self, now: int) -> bool:
        """The clock was set back by more than the stamps may run ahead; smaller steps are waited out."""
        return now < self._clock - MAX_AHEAD * _SECOND

    def stamp(self, request: ExportMetricsServiceRequest) -> int:
        """Move the points of one collection to a free second; the number of points.

        The start of a delta point moves along where it would lie before the stamp of the collection before
        it, so that intervals never overlap.
        """
        points = [(p, delta) for metric in _metrics(request) for p, delta in _points(metric)]
        if not points:
            return 0
        latest = max(p.time_unix_nano for p, _ in points)
        if self._stepped_back(latest):
            LOGGER.warning(
                "otel-kit: the clock was set back by %d s; metrics go on with the new time, and points of "
                "seconds that come a second time replace the old ones",
                (self._clock - latest) // _SECOND,
            )
            self._last = 0
        self._clock = latest
        behind = self._last // _SECOND - latest // _SECOND
        shift = (behind + 1) * _SECOND if behind >= 0 else 0
        for point, delta in points:
            point.time_unix_nano += shift
            if delta:
                begin = max(self._last, point.start_time_unix_nano)
                point.start_time_unix_nano = min(begin, point.time_unix_nano)
        self._last = latest + shift
        return len(points)


def _metrics(request: ExportMetricsServiceRequest) -> list[Any]:
    return [
        m for resource in request.resource_metrics for scope in resource.scope_metrics for m in scope.metrics
    ]


def _points(metric: Any) -> list[tuple[Any, bool]]:
    kind = metric.WhichOneof("data")
    if kind is None:
        return []
    data = getattr(metric, kind)
    delta = getattr(data, "aggregation_temporality", 0) == 1  # AGGREGATION_TEMPORALITY_DELTA
    return [(point, delta) for point in data.data_points]


def _parts(request: ExportMetricsServiceRequest) -> Iterator[ExportMetricsServiceRequest]:
    """The request, cut between metrics where it is too big for a server to take."""
    if request.ByteSize() <= MAX_BODY:
        yield request
        return
    size, part = 0, type(request)()
    for resource in request.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                if size and size + metric.ByteSize() > MAX_BODY:
                    yield part
                    size, part = 0, type(request)()
                size += metric.ByteSize()
                holder = part.resource_metrics.add(resource=resource.resource, schema_url=resource.schema_url)
                holder.scope_metrics.add(scope=scope.scope, schema_url=scope.schema_url, metrics=[metric])
    yield part


class DeltaReader(MetricReader):
    """Collects every `interval` seconds in a daemon thread of its own and hands requests to an outbox.

    A collection empties the delta aggregations for good, so its request is kept by the outbox until it is
    delivered.
    """

    def __init__(self, outbox: Outbox, tally: Tally, *, interval: float) -> None:
        super().__init__(preferred_temporality=DELTA)
        self.outbox = outbox
        self._interval = interval
        self._tally = tally
        self._reset()

    def _reset(self) -> None:
        self._seconds = Seconds()
        self._wake = threading.Event()
        self._changed = threading.Condition()
        self._collecting = threading.Lock()
        self._asked = 0
        self._answered = 0
        self._put_off = 0
        self._always = False
        self._closed = False

    def start(self) -> None:
        """Start collecting."""
        spawn("otel-kit-metrics", self._run)

    def renew_after_fork(self) -> None:
        """Begin anew in a child process."""
        self._reset()
        self.start()

    def ask(self) -> int:
        """Ask for a collection now; the ticket is for `wait`."""
        with self._changed:
            self._asked += 1
            ticket = self._asked
        self._wake.set()
        return ticket

    def wait(self, ticket: int, deadline: float) -> bool:
        """Wait until a collection asked for is in the outbox.

        False at the deadline (`time.monotonic()`), or when the collection was put off; then a later one has
        it all.
        """
        with self._changed:
            while self._answered < ticket:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(left)
            return ticket > self._put_off

    def hasten(self, *, on: bool) -> None:
        """Collect at every flush, however many there were: the process may end any moment."""
        self._always = on

    def close(self) -> None:
        """Collect no more."""
        self._closed = True
        self._wake.set()

    def _run(self) -> None:
        due = time.monotonic() + self._interval
        while not self._closed:
            self._wake.wait(max(0.0, due - time.monotonic()))
            self._wake.clear()
            if self._closed:
                return
            with self._changed:
                ticket = self._asked
            done = quietly("collecting metrics", self._collect_once)
            if time.monotonic() >= due:
                due = time.monotonic() + self._interval
            with self._changed:
                self._answered = ticket
                if not done:
                    self._put_off = ticket
                self._changed.notify_all()

    def _collect_once(self) -> bool:
        with self._collecting:
            # What is not collected stays in the aggregations and goes out with the next collection.
            if not (self._always or self._seconds.free()):
                return False
            self.collect()
            return True

    def _receive_metrics(
        self, metrics_data: MetricsData, timeout_millis: float = 10_000, **_kwargs: object
    ) -> None:
        del timeout_millis
        from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics

        request = encode_metrics(metrics_data)
        if self._seconds.stamp(request):
            for part in _parts(request):
                items = sum(len(_points(metric)) for metric in _metrics(part))
                self.outbox.put(Payload(body=part.SerializeToString(), items=items))

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Collect now, and wait until all is delivered or the time is over."""
        deadline = time.monotonic() + timeout_millis / 1000
        return self.wait(self.ask(), deadline) and self.outbox.wait_empty(deadline)

    def shutdown(self, timeout_millis: float = 30_000, **_kwargs: object) -> None:
        """Flush; the library's own lifecycle closes the reader."""
        self.force_flush(timeout_millis)

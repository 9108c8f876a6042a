"""Collects delta metrics every few seconds, so that no two points of one series ever share a second.

Datadog keeps whole seconds and, of two points of one series in the same second, only the last. A flush right
after a periodic collection would so erase the periodic one. Here the later collection moves to the next free
second.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.sdk.metrics import Counter, Histogram, ObservableCounter
from opentelemetry.sdk.metrics.export import AggregationTemporality, MetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation

from otel_kit.sdk.config.metrics import MetricSettings, Temporality
from otel_kit.sdk.delivery.batch import MAX_BODY
from otel_kit.sdk.delivery.outbox import Outbox, Payload
from otel_kit.sdk.delivery.tally import Tally
from otel_kit.sdk.delivery.threads import Alarm, spawn
from otel_kit.sdk.delivery.writer import Writer
from otel_kit.sdk.metrics.provider import KitMeterProvider
from otel_kit.sdk.metrics.rounds import rounds
from otel_kit.sdk.notes import LOGGER, quietly
from otel_kit.sdk.otlp.metrics import MetricsEncoder, Shift

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import MetricsData
    from opentelemetry.sdk.metrics.view import Aggregation

    from otel_kit.sdk.otlp.wire import Redact

__all__ = ["TEMPORALITY", "DeltaReader", "Seconds"]

_SECOND: Final = 1_000_000_000
#: How far a stamp may run ahead of the clock; Datadog takes points up to ten minutes ahead.
MAX_AHEAD: Final = 60
_DELTA: Final = AggregationTemporality.DELTA
#: The kinds that go up and down stay cumulative, where each point is the value itself.
TEMPORALITY: Final[dict[Temporality, dict[type, AggregationTemporality]]] = {
    "delta": {Counter: _DELTA, ObservableCounter: _DELTA, Histogram: _DELTA},
    "lowmemory": {Counter: _DELTA, Histogram: _DELTA},
    "cumulative": {},
}
_DEFAULTS: Final = MetricSettings()


class Seconds:
    """Gives each collection a second of its own, after those that others used under the same name."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._last = writer.last
        self._clock = 0  # at the last collection, before it was moved

    def free(self) -> bool:
        """False when stamps are so far ahead of the clock that a collection should rather wait."""
        now = time.time_ns()
        return self._stepped_back(now) or self._last - now < MAX_AHEAD * _SECOND

    def _stepped_back(self, now: int) -> bool:
        """The clock was set back by more than the stamps may run ahead; smaller steps are waited out."""
        return now < self._clock - MAX_AHEAD * _SECOND

    def shift(self, data: MetricsData) -> Shift:
        """How the points of one collection get to a free second.

        The start of a delta point moves along where it would lie before the stamp of the collection before
        it, so that intervals never overlap.
        """
        latest = max((point.time_unix_nano for point in _points(data)), default=0)
        if not latest:
            return Shift()
        if self._stepped_back(latest):
            LOGGER.warning(
                "otel-kit: the clock was set back by %d s; metrics go on with the new time, and points of "
                "seconds that come a second time replace the old ones",
                (self._clock - latest) // _SECOND,
            )
            self._last = 0
        self._clock = latest
        behind = self._last // _SECOND - latest // _SECOND
        made = Shift(by=(behind + 1) * _SECOND if behind >= 0 else 0, floor=self._last)
        self._last = latest + made.by
        self._writer.use(self._last)
        return made


def _points(data: MetricsData) -> Iterator[Any]:
    for resource in data.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                yield from metric.data.data_points


class DeltaReader(MetricReader):
    """Collects every `interval` seconds in a daemon thread of its own and hands requests to an outbox.

    A collection empties the delta aggregations for good, so its request is kept by the outbox until it is
    delivered.
    """

    def __init__(
        self,
        outbox: Outbox,
        tally: Tally,
        writer: Writer,
        *,
        interval: float,
        settings: MetricSettings = _DEFAULTS,
        redact: Redact | None = None,
    ) -> None:
        exponential: dict[type, Aggregation] = {Histogram: ExponentialBucketHistogramAggregation()}
        super().__init__(
            preferred_temporality=TEMPORALITY[settings.temporality],
            preferred_aggregation=exponential if settings.exponential else None,
        )
        self.outbox = outbox
        self._writer = writer
        self.interval = interval
        self._tally = tally
        self._encoder = MetricsEncoder(tally.dropped, largest=MAX_BODY, redact=redact)
        self._take_dropped: Callable[[], int] = int
        self._reset()

    def _reset(self) -> None:
        self._seconds = Seconds(self._writer)
        self._alarm = Alarm()
        self._changed = threading.Condition()
        self._collecting = threading.Lock()
        self._asked = 0
        self._answered = 0
        self._put_off = 0
        self._always = False
        self._closed = False

    def start(self) -> None:
        """Start collecting."""
        spawn("otel-kit-metrics", self._run, lasting=True)

    def renew_after_fork(self) -> None:
        """Begin anew in a child process."""
        self._reset()
        self.start()

    @property
    def patience(self) -> float:
        """Seconds for the callbacks of observable instruments; at the end of the process others wait, too."""
        return 1.0 if self._always else 5.0

    def ask(self) -> int:
        """Ask for a collection now; the ticket is for `wait`."""
        with self._changed:
            self._asked += 1
            ticket = self._asked
        self._alarm.ring()
        return ticket

    def wait(self, ticket: int, deadline: float) -> bool:
        """Wait until a collection asked for is in the outbox.

        False at the deadline (`time.monotonic()`), once closed, or when the collection was put off; then a
        later one has it all.
        """
        with self._changed:
            while self._answered < ticket:
                left = deadline - time.monotonic()
                if left <= 0 or self._closed:
                    return False
                self._changed.wait(left)
            return ticket > self._put_off

    def hasten(self, *, on: bool) -> None:
        """Collect at every flush, however many there were: the process may end any moment."""
        self._always = on

    def close(self) -> None:
        """Collect no more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._alarm.ring()

    def _run(self) -> None:
        due = time.monotonic() + self.interval
        while not self._closed:
            self._alarm.wait(max(0.0, due - time.monotonic()))
            if self._closed:
                return
            with self._changed:
                ticket = self._asked
            done = quietly("collecting metrics", self._collect_once, BaseException)
            if time.monotonic() >= due:
                due = time.monotonic() + self.interval
            with self._changed:
                self._answered = ticket
                if not done:
                    self._put_off = ticket
                self._changed.notify_all()

    def _collect_once(self) -> bool:
        with self._collecting:
            if not self._writer.keep():
                self._seconds = Seconds(self._writer)
            # What is not collected stays in the aggregations and goes out with the next collection.
            if not (self._always or self._seconds.free()):
                return False
            self.collect()
            dropped = self._take_dropped()
            if dropped:
                self._tally.dropped(dropped, "invalid_measurement")
            return True

    def _set_meter_provider(self, meter_provider: MeterProvider) -> None:
        super()._set_meter_provider(meter_provider)
        if isinstance(meter_provider, KitMeterProvider):
            self._take_dropped = meter_provider.take_dropped

    def _receive_metrics(
        self, metrics_data: MetricsData, timeout_millis: float = 10_000, **_kwargs: object
    ) -> None:
        del timeout_millis
        for part in rounds(metrics_data):
            for body, points in self._encoder.requests(part, self._seconds.shift(part)):
                self.outbox.put(Payload(body=body, items=points))

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Collect now, and wait until all is delivered or the time is over."""
        deadline = time.monotonic() + timeout_millis / 1000
        return self.wait(self.ask(), deadline) and self.outbox.wait_empty(deadline)

    def shutdown(self, timeout_millis: float = 30_000, **_kwargs: object) -> None:
        """Flush, for 3 s at most; the library's own lifecycle closes the reader."""
        self.force_flush(min(timeout_millis, 3000.0))

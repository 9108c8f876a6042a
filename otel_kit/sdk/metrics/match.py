"""The aggregations of one instrument in one view of one reader."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.sdk.metrics._internal._view_instrument_match import _hash_attributes, _ViewInstrumentMatch
from opentelemetry.sdk.metrics._internal.view import _default_reservoir_factory
from opentelemetry.sdk.metrics.export import AggregationTemporality
from opentelemetry.sdk.metrics.view import DefaultAggregation

from otel_kit.sdk.metrics.cells import cut
from otel_kit.sdk.metrics.fold import FOLDABLE
from otel_kit.sdk.notes import LOGGER, RateLimit

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics._internal.measurement import Measurement
    from opentelemetry.sdk.metrics._internal.point import DataPointT
    from opentelemetry.sdk.metrics.view import View

    from otel_kit.sdk.otlp.wire import Redact

__all__ = ["OVERFLOW", "Match"]

_OVERFLOW_SET: Final = {"otel.metric.overflow": True}
_FAULTS: Final = RateLimit(60.0)
#: Measurements that may wait; more do so only where a collection never ends.
_MOST: Final = 10_000
#: Key of what is beyond the limit.
OVERFLOW: Final = _hash_attributes(_OVERFLOW_SET)


class Match(_ViewInstrumentMatch):
    """Has a limit of attribute sets, and forgets idle ones: not each release of the SDK does.

    Args:
        limit: attribute sets; the rest is added up in one more.
        resets: with delta temporality, each collection begins with no sets at all.
        redact: applied before sets are told apart: two points that are equal once their secrets are gone
            would be one series, of which Datadog keeps one.
    """

    _attributes_aggregation: dict[Any, Any]

    def __init__(
        self,
        view: View,
        instrument: Any,
        aggregations: dict[type, Any],
        *,
        limit: int,
        resets: bool,
        redact: Redact | None,
    ) -> None:
        super().__init__(view=view, instrument=instrument, instrument_class_aggregation=aggregations)
        self.limit = limit
        self._resets = resets
        self._redact = redact
        self._collected: int | None = None
        self._waiting: deque[tuple[Any, Mapping[str, Any], Measurement, bool]] = deque()
        # One for all readers, so that folding takes it once.
        self._lock = getattr(instrument, "lock", None) or threading.Lock()

    @property
    def quick(self) -> bool:
        """Whether measurements may be folded into it many at a time."""
        default = self._view._exemplar_reservoir_factory is _default_reservoir_factory
        return default and type(self._aggregation) in FOLDABLE

    def key(self, attributes: Mapping[str, Any]) -> tuple[Any, Mapping[str, Any]]:
        """Those of clean attributes that this view keeps, and the key by which `find` knows them."""
        redact = self._redact
        if redact is not None:
            attributes = {key: redact(key, value) for key, value in attributes.items()}
        wanted = self._view._attribute_keys
        kept = attributes if wanted is None else {k: v for k, v in attributes.items() if k in wanted}
        return _hash_attributes(kept), kept

    def find(self, key: Any, attributes: Mapping[str, Any], born: int) -> Any:
        """The aggregation of an attribute set that was first measured at `born`; the lock must be held."""
        found = self._attributes_aggregation.get(key)
        if found is None and len(self._attributes_aggregation) >= self.limit:
            key, attributes = OVERFLOW, _OVERFLOW_SET
            found = self._attributes_aggregation.get(key)
        if found is None:
            kind = self._view._aggregation
            if isinstance(kind, DefaultAggregation):
                kind = self._instrument_class_aggregation[self._instrument.__class__]
            factory = self._view._exemplar_reservoir_factory
            found = kind._create_aggregation(self._instrument, attributes, factory, self._collected or born)
            self._attributes_aggregation[key] = found
        return found

    def consume_measurement(self, measurement: Measurement, should_sample_exemplar: bool = True) -> None:
        """Take what came by the SDK's own way: of callbacks, gauges, and where views want it.

        Never waits: what comes while somebody is adding (in the thread that a signal handler or a finalizer
        has interrupted, perhaps) is added with the next one, or by the collection.
        """
        key, attributes = self.key(cut(measurement.attributes or {}))
        if len(self._waiting) >= _MOST:
            self._drop("too many wait for a collection that does not end")
            return
        self._waiting.append((key, attributes, measurement, should_sample_exemplar))
        if self._lock.acquire(blocking=False):
            try:
                self._add_waiting()
            finally:
                self._lock.release()

    def _add_waiting(self) -> None:
        for _ in range(len(self._waiting)):
            key, attributes, measurement, sampled = self._waiting.popleft()
            try:
                self.find(key, attributes, measurement.time_unix_nano).aggregate(measurement, sampled)
            except Exception as error:  # of a number that is none, or a reservoir of the service
                self._drop(type(error).__name__)

    def _drop(self, why: str) -> None:
        instrument: Any = self._instrument
        instrument._measurement_consumer.faults.note(self._name, why)

    def collect(
        self, collection_aggregation_temporality: AggregationTemporality, collection_start_nanos: int
    ) -> Sequence[DataPointT] | None:
        """The points; without those whose reservoir fails, which is not the others' fault."""
        points: list[Any] = []
        failed = None
        with self._lock:
            self._add_waiting()
            aggregations = self._attributes_aggregation
            if self._resets and collection_aggregation_temporality is AggregationTemporality.DELTA:
                self._attributes_aggregation = {}
                self._collected = collection_start_nanos
            for aggregation in aggregations.values():
                try:
                    points.append(
                        aggregation.collect(collection_aggregation_temporality, collection_start_nanos)
                    )
                except Exception as error:
                    failed = error
        if failed is not None and _FAULTS.allows():  # without the lock: a log handler may record
            LOGGER.warning("otel-kit: fault in the metric %s", self._name, exc_info=failed)
        return [point for point in points if point is not None] or None

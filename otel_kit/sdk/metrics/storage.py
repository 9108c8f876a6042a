"""Where measurements go: the SDK's storage of each reader, made safe against what services put into it."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import partial
from time import time_ns
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.metrics import CallbackOptions
from opentelemetry.sdk.metrics import AlwaysOffExemplarFilter, TraceBasedExemplarFilter
from opentelemetry.sdk.metrics._internal._view_instrument_match import _ViewInstrumentMatch
from opentelemetry.sdk.metrics._internal.measurement_consumer import SynchronousMeasurementConsumer
from opentelemetry.sdk.metrics._internal.metric_reader_storage import _DEFAULT_VIEW, MetricReaderStorage
from opentelemetry.sdk.metrics._internal.view import _default_reservoir_factory

from otel_kit.sdk.metrics.cardinality import Watch
from otel_kit.sdk.metrics.cells import LONGEST, Cells, cut
from otel_kit.sdk.metrics.fold import FOLDABLE
from otel_kit.sdk.metrics.instruments import OF_SDK, KitGauge, Quick
from otel_kit.sdk.notes import LOGGER, RateLimit, quietly

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics._internal.instrument import _Asynchronous
    from opentelemetry.sdk.metrics._internal.measurement import Measurement
    from opentelemetry.sdk.metrics._internal.point import DataPointT
    from opentelemetry.sdk.metrics.export import AggregationTemporality, MetricReader, MetricsData
    from opentelemetry.sdk.metrics.view import View

__all__ = ["Consumer", "Faults"]


class Faults:
    """Measurements that could not be taken: counted, and told of once a minute."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a signal may come while it is held
        self._count = 0
        self._line = RateLimit(60.0)

    def note(self, metric: str, why: str) -> None:
        """One measurement is dropped."""
        with self._lock:
            self._count += 1
        if self._line.allows():
            LOGGER.warning("otel-kit: a measurement of the metric %s is dropped: %s", metric, why)

    def take(self) -> int:
        """How many since the last time."""
        with self._lock:
            count, self._count = self._count, 0
        return count


class Match(_ViewInstrumentMatch):
    """One instrument in one view of one reader."""

    def consume_measurement(self, measurement: Measurement, should_sample_exemplar: bool = True) -> None:
        """Take what came by the SDK's own way: of callbacks, gauges, and where views want it."""
        attributes: Any = measurement.attributes or {}
        if any(isinstance(value, str) and len(value) > LONGEST for value in attributes.values()):
            object.__setattr__(measurement, "attributes", cut(attributes))  # it is frozen, but nobody else's
        super().consume_measurement(measurement, should_sample_exemplar)

    def collect(
        self, collection_aggregation_temporality: AggregationTemporality, collection_start_nanos: int
    ) -> Sequence[DataPointT] | None:
        """Its points; none where its reservoir or aggregation fails, which is no other metric's fault."""
        return quietly(
            f"collecting the metric {self._name}",
            lambda: super(Match, self).collect(collection_aggregation_temporality, collection_start_nanos),
        )

    @property
    def quick(self) -> bool:
        """Whether measurements may be folded into it many at a time."""
        default = self._view._exemplar_reservoir_factory is _default_reservoir_factory
        return default and type(self._aggregation) in FOLDABLE


class Storage(MetricReaderStorage):
    """What one reader collects."""

    def __init__(self, config: Any, reader: MetricReader) -> None:
        super().__init__(
            config,
            _with_ours(reader._instrument_class_temporality),
            _with_ours(reader._instrument_class_aggregation),
            _with_ours(reader._instrument_class_cardinality_limit),
        )

    def _new_view_instrument_match(self, view: View, instrument: Any) -> Match:
        match: Any = quietly(
            f"a view of the metric {instrument.name}",
            lambda: super(Storage, self)._new_view_instrument_match(view, instrument),
        ) or super()._new_view_instrument_match(_DEFAULT_VIEW, instrument)
        match.__class__ = Match  # made by the SDK, which knows what belongs in it
        if isinstance(instrument, Quick | KitGauge):
            match._lock = instrument.lock
        return match  # type: ignore[no-any-return]


def _with_ours(by_class: Mapping[Any, Any]) -> dict[type, Any]:
    """Readers choose by the class of the instrument, and know only the SDK's."""
    return {**by_class, **{ours: by_class[sdk] for sdk, ours in OF_SDK.items() if sdk in by_class}}


class Consumer(SynchronousMeasurementConsumer):
    """Takes the measurements of all instruments for all readers.

    Args:
        config: of the SDK: exemplar filter, resource, views.
        readers: those that there are from the beginning.
        limit: attribute sets that are kept of an instrument.
    """

    def __init__(self, config: Any, readers: Sequence[MetricReader], *, limit: int) -> None:
        super().__init__(config, ())
        self.faults: Final = Faults()
        self.watch: Final = Watch()
        self.generation = 0
        self._limit = limit
        self._quick: list[Quick | KitGauge] = []
        self._reader_storages: dict[Any, Storage] = {reader: Storage(config, reader) for reader in readers}

    @property
    def traced(self) -> bool:
        """Whether what is measured within a sampled span may become an exemplar."""
        return type(self._sdk_config.exemplar_filter) is TraceBasedExemplarFilter

    def register(self, instrument: Quick | KitGauge) -> None:
        """Take part in collections."""
        with self._lock:
            self._quick.append(instrument)

    def plan(self, instrument: Any) -> Cells | None:
        """Where its measurements go; None where only the SDK's own way will do."""
        known = type(self._sdk_config.exemplar_filter) in (TraceBasedExemplarFilter, AlwaysOffExemplarFilter)
        matches: list[Any] = [
            match
            for storage in self._reader_storages.values()
            for match in storage._get_or_init_view_instrument_match(instrument)
        ]
        if not known or not all(match.quick for match in matches):
            return None
        return Cells(matches, instrument.lock, self._limit)

    def collect(self, metric_reader: MetricReader, timeout_millis: float = 10_000) -> MetricsData | None:
        """What there is for one reader.

        Callbacks run without a lock: one that creates an instrument, or waits for a thread that does, would
        wait for itself. What fails is left out, with a line; the rest is collected.
        """
        with self._lock:
            storage = self._reader_storages[metric_reader]
            observed, quick = list(self._async_instruments), list(self._quick)
        deadline = time_ns() + int(timeout_millis * 1e6)
        for instrument in observed:
            work = partial(self._observe, instrument, storage, deadline)
            quietly(f"observing the metric {instrument.name}", work)
        for each in quick:
            if isinstance(each, Quick) and each.cells is not None:
                quietly(f"folding the metric {each.name}", each.cells.fold_all)
        self.watch.look_into(storage)
        return storage.collect()

    def _observe(self, instrument: _Asynchronous, storage: Storage, deadline: int) -> None:
        left = max(0.0, (deadline - time_ns()) / 1e6)
        exemplars = self._sdk_config.exemplar_filter
        for measurement in instrument.callback(CallbackOptions(timeout_millis=left)):
            storage.consume_measurement(
                measurement,
                exemplars.should_sample(
                    measurement.value, measurement.time_unix_nano, measurement.attributes, measurement.context
                ),
            )

    def add_metric_reader(self, metric_reader: MetricReader) -> None:
        """Take a reader in; one that is known begins anew."""
        self._change({**self._reader_storages, metric_reader: Storage(self._sdk_config, metric_reader)})

    def remove_metric_reader(self, metric_reader: MetricReader) -> None:
        """Let a reader go."""
        self._change({r: storage for r, storage in self._reader_storages.items() if r is not metric_reader})

    def _change(self, storages: dict[Any, Storage]) -> None:
        with self._lock:
            self._reader_storages = storages
            self.generation += 1
            quick = list(self._quick)
        for instrument in quick:
            instrument.forget_plan()

    def renew_after_fork(self) -> None:
        """Begin anew in a child process, with locks that no thread of the parent holds."""
        self._lock = threading.Lock()
        self.faults.take()
        for instrument in self._quick:
            instrument.renew_after_fork()
        readers = self._reader_storages
        self._reader_storages = {reader: Storage(self._sdk_config, reader) for reader in readers}

"""Where measurements go: the SDK's storage of each reader, made safe against what services put into it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from opentelemetry.metrics import Asynchronous, CallbackOptions
from opentelemetry.sdk.metrics import AlwaysOffExemplarFilter, TraceBasedExemplarFilter
from opentelemetry.sdk.metrics._internal.measurement_consumer import SynchronousMeasurementConsumer
from opentelemetry.sdk.metrics._internal.metric_reader_storage import _DEFAULT_VIEW, MetricReaderStorage
from opentelemetry.sdk.metrics.export import AggregationTemporality

from otel_kit.sdk.config.metrics import CARDINALITY_LIMIT
from otel_kit.sdk.metrics.cardinality import Offender, Watch
from otel_kit.sdk.metrics.cells import Cells
from otel_kit.sdk.metrics.faults import Faults
from otel_kit.sdk.metrics.instruments import OF_SDK, KitGauge, Quick
from otel_kit.sdk.metrics.match import Match
from otel_kit.sdk.metrics.observe import Observer
from otel_kit.sdk.notes import LOGGER, quietly

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricReader, MetricsData
    from opentelemetry.sdk.metrics.view import View

    from otel_kit.sdk.otlp.wire import Redact

__all__ = ["Consumer"]


class Storage(MetricReaderStorage):
    """What one reader collects.

    Args:
        config: of the SDK: exemplar filter, resource, views.
        reader: who collects.
        limit: attribute sets of a metric, unless the reader or a view says otherwise.
        redact: see `Match`.
    """

    def __init__(self, config: Any, reader: MetricReader, limit: int, redact: Redact | None) -> None:
        super().__init__(
            config,
            _with_ours(reader._instrument_class_temporality),
            _with_ours(reader._instrument_class_aggregation),
        )
        # Newer releases of the SDK have limits of their own, with the same default as ours.
        self._limits = _with_ours(getattr(reader, "_instrument_class_cardinality_limit", {}))
        self._limit = limit
        self._redact = redact

    def _get_or_init_view_instrument_match(self, instrument: Any) -> list[Any]:
        known = self._instrument_view_instrument_matches.get(instrument)
        if known is not None:
            return known
        with self._lock:
            known = self._instrument_view_instrument_matches.get(instrument)
            if known is None:
                # The first ones stay, also where a signal handler has made them amid these lines.
                made = self._make(instrument)
                known = self._instrument_view_instrument_matches.setdefault(instrument, made)
            return known

    def _make(self, instrument: Any) -> list[Any]:
        """Where measurements of the instrument go: one for each view that is about it."""
        made: list[Match] = []
        known = self._instrument_view_instrument_matches.copy()
        others = [match for matches in known.values() for match in matches]
        for view in self._sdk_config.views:
            match = quietly(f"a view of the metric {instrument.name}", partial(self._match, view, instrument))
            if match is None:
                continue
            for other in others:
                if other.conflicts(match):
                    LOGGER.warning("otel-kit: two views make one metric of different things: %s", match._name)
            made.append(match)
        return made or [self._new(_DEFAULT_VIEW, instrument)]

    def _match(self, view: View, instrument: Any) -> Match | None:
        wanted = view._match(instrument) and self._check_view_instrument_compatibility(view, instrument)
        return self._new(view, instrument) if wanted else None

    def _new(self, view: View, instrument: Any) -> Match:
        kind = instrument.__class__
        limit = self._limits.get(kind, CARDINALITY_LIMIT)
        if limit == CARDINALITY_LIMIT:
            limit = self._limit
        delta = self._instrument_class_temporality[kind] is AggregationTemporality.DELTA
        return Match(
            view,
            instrument,
            self._instrument_class_aggregation,
            limit=getattr(view, "_aggregation_cardinality_limit", None) or limit,
            resets=delta and not isinstance(instrument, Asynchronous),
            redact=self._redact,
        )


def _with_ours(by_class: Mapping[Any, Any]) -> dict[type, Any]:
    """Readers choose by the class of the instrument, and know only the SDK's."""
    return {**by_class, **{ours: by_class[sdk] for sdk, ours in OF_SDK.items() if sdk in by_class}}


class Consumer(SynchronousMeasurementConsumer):
    """Takes the measurements of all instruments for all readers.

    Args:
        config: of the SDK: exemplar filter, resource, views.
        readers: those that there are from the beginning.
        limit: attribute sets that are kept of an instrument.
        redact: see `Match`.
    """

    def __init__(
        self, config: Any, readers: Sequence[MetricReader], *, limit: int, redact: Redact | None
    ) -> None:
        super().__init__(config, ())
        self._limit = limit
        self._redact = redact
        self.generation = 0
        self._reset()
        self._quick: list[Quick | KitGauge] = []
        self._reader_storages: dict[Any, Storage] = {reader: self._storage(reader) for reader in readers}

    def _reset(self) -> None:
        self._lock = threading.Lock()
        # Two collections at once would add up what the callbacks told each of them.
        self._collecting = threading.RLock()
        self._observer = Observer()
        self.faults = Faults()
        self.watch = Watch()

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
        return Cells(matches, instrument.lock, instrument.loose, self._limit)

    def collect(self, metric_reader: MetricReader, timeout_millis: float = 10_000) -> MetricsData | None:
        """What there is for one reader.

        Callbacks run without a lock: one that creates an instrument, or waits for a thread that does, would
        wait for itself. What fails is left out, with a line; the rest is collected.
        """
        with self._lock:
            storage = self._reader_storages[metric_reader]
            observed, quick = list(self._async_instruments), list(self._quick)
        patience: float | None = getattr(metric_reader, "patience", None)
        with self._collecting:
            options = CallbackOptions(timeout_millis=min(timeout_millis, (patience or 10.0) * 1000))
            for measurement in self._observer.ask(observed, options, patience):
                quietly("observing a metric", partial(self._observe, storage, measurement))
            self._fold(quick)
            self.watch.look_into(storage)
            return storage.collect()

    def offenders(self) -> list[Offender]:
        """Metrics that have overflowed, as of now."""
        with self._lock:
            storages, quick = list(self._reader_storages.values()), list(self._quick)
        with self._collecting:
            self._fold(quick)
            for storage in storages:
                self.watch.look_into(storage)
        return self.watch.offenders()

    def _fold(self, instruments: Iterable[Quick | KitGauge]) -> None:
        for each in instruments:
            quietly(f"folding the metric {each.name}", each.fold)

    def _observe(self, storage: Storage, measurement: Any) -> None:
        sampled = self._sdk_config.exemplar_filter.should_sample(
            measurement.value, measurement.time_unix_nano, measurement.attributes, measurement.context
        )
        storage.consume_measurement(measurement, sampled)

    def _storage(self, reader: MetricReader) -> Storage:
        return Storage(self._sdk_config, reader, self._limit, self._redact)

    def add_metric_reader(self, metric_reader: MetricReader) -> None:
        """Take a reader in; one that is known begins anew."""
        with self._lock:
            self._reader_storages = {**self._reader_storages, metric_reader: self._storage(metric_reader)}
        self._plan_anew()

    def remove_metric_reader(self, metric_reader: MetricReader) -> None:
        """Let a reader go."""
        with self._lock:
            self._reader_storages = {
                reader: storage
                for reader, storage in self._reader_storages.items()
                if reader is not metric_reader
            }
        self._plan_anew()

    def _plan_anew(self) -> None:
        with self._lock:
            self.generation += 1
            quick = list(self._quick)
        for instrument in quick:
            instrument.forget_plan()

    def renew_after_fork(self) -> None:
        """Begin anew in a child process, with locks that no thread of the parent holds."""
        self._reset()
        for instrument in self._quick:
            instrument.renew_after_fork()
        readers = self._reader_storages
        self._reader_storages = {reader: self._storage(reader) for reader in readers}

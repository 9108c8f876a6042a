"""The meter provider: the SDK's, whose instruments are quick and whose callbacks and views cannot do harm."""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

from opentelemetry import metrics as api
from opentelemetry.sdk.metrics import Meter, MeterProvider

from otel_kit.sdk.config.metrics import CARDINALITY_LIMIT
from otel_kit.sdk.metrics.instruments import OF_SDK
from otel_kit.sdk.metrics.storage import Consumer
from otel_kit.sdk.notes import LOGGER, quietly
from otel_kit.sdk.text import text_of

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackT
    from opentelemetry.sdk.metrics import ExemplarFilter
    from opentelemetry.sdk.metrics.export import MetricReader
    from opentelemetry.sdk.metrics.view import View
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.util.types import Attributes

    from otel_kit.sdk.metrics.cardinality import Offender
    from otel_kit.sdk.otlp.wire import Redact

__all__ = ["KitMeter", "KitMeterProvider"]

T = TypeVar("T")
_NOTHING: Final = api.NoOpMeter("otel_kit")
#: What was told so far; a service may try the same name in each request.
_told: Final[set[tuple[str, str]]] = set()
_MOST_TOLD: Final = 100


def _tell(what: str, name: object, error: Exception) -> None:
    """One line for each name; not for names without an end."""
    shown = text_of(name)[:300]
    if (what, shown) not in _told and len(_told) < _MOST_TOLD:
        _told.add((what, shown))
        LOGGER.warning(f"otel-kit: {what}", shown, text_of(error))


class KitMeter(Meter):
    """Makes instruments; where the name is not allowed, one that records nothing, with a line in the log."""

    _measurement_consumer: Consumer

    @property
    def _instrument_registration_lock(self) -> Any:
        """One that lets a signal handler or a finalizer through that makes an instrument amid another."""
        return self.__dict__.setdefault("_reentrant", threading.RLock())

    @_instrument_registration_lock.setter
    def _instrument_registration_lock(self, _: Any) -> None:
        """The SDK's is of no use."""

    _instrument_ids_lock = _instrument_registration_lock

    def create_counter(self, name: str, unit: str = "", description: str = "") -> api.Counter:
        """A counter."""
        make = super().create_counter
        return self._made(name, lambda: make(name, unit, description), _NOTHING.create_counter)

    def create_up_down_counter(self, name: str, unit: str = "", description: str = "") -> api.UpDownCounter:
        """A counter that goes down, too."""
        make = super().create_up_down_counter
        return self._made(name, lambda: make(name, unit, description), _NOTHING.create_up_down_counter)

    def create_histogram(
        self,
        name: str,
        unit: str = "",
        description: str = "",
        *,
        explicit_bucket_boundaries_advisory: Sequence[float] | None = None,
    ) -> api.Histogram:
        """A histogram."""
        bounds = explicit_bucket_boundaries_advisory
        if bounds is not None and not _increasing(bounds):
            LOGGER.warning("otel-kit: boundaries of %.300r do not increase, so they are left out", name)
            bounds = None
        make = super().create_histogram
        return self._made(
            name,
            lambda: make(name, unit, description, explicit_bucket_boundaries_advisory=bounds),
            _NOTHING.create_histogram,
        )

    def create_gauge(self, name: str, unit: str = "", description: str = "") -> api._Gauge:
        """A gauge."""
        make = super().create_gauge
        return self._made(name, lambda: make(name, unit, description), _NOTHING.create_gauge)

    def create_observable_counter(
        self, name: str, callbacks: Sequence[CallbackT] | None = None, unit: str = "", description: str = ""
    ) -> api.ObservableCounter:
        """A counter that is asked at each collection."""
        make = super().create_observable_counter
        return self._made(
            name, lambda: make(name, callbacks, unit, description), _NOTHING.create_observable_counter
        )

    def create_observable_gauge(
        self, name: str, callbacks: Sequence[CallbackT] | None = None, unit: str = "", description: str = ""
    ) -> api.ObservableGauge:
        """A gauge that is asked at each collection."""
        make = super().create_observable_gauge
        return self._made(
            name, lambda: make(name, callbacks, unit, description), _NOTHING.create_observable_gauge
        )

    def create_observable_up_down_counter(
        self, name: str, callbacks: Sequence[CallbackT] | None = None, unit: str = "", description: str = ""
    ) -> api.ObservableUpDownCounter:
        """A counter that goes down, too, and is asked at each collection."""
        make = super().create_observable_up_down_counter
        return self._made(
            name, lambda: make(name, callbacks, unit, description), _NOTHING.create_observable_up_down_counter
        )

    def renew_after_fork(self) -> None:
        """Begin anew in a child process, with locks that no thread of the parent holds."""
        self.__dict__.pop("_reentrant", None)

    def _made(self, name: str, make: Callable[[], T], otherwise: Callable[[str], T]) -> T:
        try:
            instrument: Any = make()
        except Exception as error:
            _tell("the metric %r is not made and records nothing: %.300s", name, error)
            return otherwise("nothing")
        quietly("making a metric", lambda: self._quicken(instrument))
        return instrument  # type: ignore[no-any-return]

    def _quicken(self, instrument: Any) -> None:
        with self._instrument_registration_lock:
            quick = OF_SDK.get(type(instrument))
            if quick is not None:
                instrument.__class__ = quick
                instrument.make_lock()
                self._measurement_consumer.register(instrument)


def _increasing(bounds: Sequence[float]) -> bool:
    try:
        return all(map(math.isfinite, bounds)) and all(a < b for a, b in itertools.pairwise(bounds))
    except (TypeError, OverflowError):
        return True  # the SDK tells what it thinks of these


class KitMeterProvider(MeterProvider):
    """The SDK's, and its arguments.

    Args:
        cardinality_limit: attribute sets that are kept of a metric.
        redact: what to record in the place of an attribute's value.
    """

    _measurement_consumer: Consumer

    def __init__(
        self,
        metric_readers: Sequence[MetricReader] = (),
        resource: Resource | None = None,
        exemplar_filter: ExemplarFilter | None = None,
        shutdown_on_exit: bool = True,
        views: Sequence[View] = (),
        *,
        cardinality_limit: int = CARDINALITY_LIMIT,
        redact: Redact | None = None,
        **more: Any,
    ) -> None:
        super().__init__((), resource, exemplar_filter, shutdown_on_exit, views, **more)
        # The SDK's own would be in the way of what its readers record about themselves, so they come later.
        self._measurement_consumer = Consumer(
            self._sdk_config, metric_readers, limit=cardinality_limit, redact=redact
        )
        self._metric_readers = metric_readers
        self._renewing: list[Callable[[], None]] = []
        for reader in metric_readers:
            with self._all_metric_readers_lock:
                if reader in self._all_metric_readers:
                    raise ValueError(f"{reader} has been registered already in another MeterProvider")
                self._all_metric_readers.add(reader)
            collect: Any = self._measurement_consumer.collect
            reader._set_collect_callback(collect)
            reader._set_meter_provider(self)

    @property
    def _meter_lock(self) -> Any:
        """One that lets a signal handler or a finalizer through that asks for a meter amid `get_meter`."""
        return self._reentrant

    @_meter_lock.setter
    def _meter_lock(self, _: Any) -> None:
        # The SDK sets a new one at the beginning, and in each child process.
        self._reentrant = threading.RLock()

    def get_meter(
        self,
        name: str,
        version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes = None,
    ) -> api.Meter:
        """The meter of this scope, always the same one."""
        try:
            meter = super().get_meter(name, version, schema_url, attributes)
        except Exception as error:
            _tell("the meter %r cannot be made: %.300s", name, error)
            return _NOTHING
        if type(meter) is Meter:
            meter.__class__ = KitMeter  # made by the SDK, which knows what belongs in it
        return meter

    def offenders(self) -> list[Offender]:
        """Metrics that had more attribute sets than the limit, and the attribute that makes them so many."""
        return self._measurement_consumer.offenders()

    def take_dropped(self) -> int:
        """How many measurements could not be taken since the last time."""
        return self._measurement_consumer.faults.take()

    def renewing(self, renew: Callable[[], None]) -> None:
        """Call `renew` in a child process as well."""
        self._renewing.append(renew)

    def renew_after_fork(self) -> None:
        """Begin anew in a child process: what was measured before is the parent's to report."""
        for renew in self._renewing:
            renew()
        for meter in self._meters.values():
            if isinstance(meter, KitMeter):
                meter.renew_after_fork()
        self._measurement_consumer.renew_after_fork()

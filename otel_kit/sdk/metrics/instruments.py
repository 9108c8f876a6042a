"""Counter, up-down counter, histogram and gauge: those of the SDK, with a quick way to record.

``__class__`` of an instrument that the SDK has made is set to one of these: so there is one instrument of a
name, whoever created it when, and all that the SDK checks and registers stays its own.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Mapping
from time import time_ns
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import context as context_api
from opentelemetry.sdk.metrics._internal.instrument import _Counter, _Gauge, _Histogram, _UpDownCounter
from opentelemetry.trace.propagation import _SPAN_KEY

from otel_kit.sdk.metrics.cells import Cell, Cells, fold_loose
from otel_kit.sdk.metrics.fold import Sampled

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.util.types import Attributes

    from otel_kit.sdk.metrics.storage import Consumer

__all__ = ["OF_SDK", "KitCounter", "KitGauge", "KitHistogram", "KitUpDownCounter", "Quick"]

_LARGEST: Final = sys.float_info.max
#: The context variable itself, where it is one: asking it takes a third of the time.
_variable: Final[Any] = getattr(context_api._RUNTIME_CONTEXT, "_current_context", None)
_current: Final[Any] = context_api.get_current if _variable is None else _variable.get
_NONE: Final[Mapping[tuple[Any, ...], Cell]] = MappingProxyType({})


class Quick:
    """What the three that are recorded often have in common.

    Attributes:
        lock: guards the aggregations of this instrument in all readers.
        loose: cells that are not kept, or not any more, and wait for the collection.
        cells: None where the SDK's own way is taken, or it is not yet known which.
    """

    name: str
    lock: threading.Lock
    loose: deque[Cell]
    cells: Cells | None = None
    _known: Mapping[tuple[Any, ...], Cell] = _NONE
    _planned = False
    _traced = False
    _least = 0.0
    _measurement_consumer: Any
    _meter_config: Any

    def measure(self, amount: float, attributes: Attributes = None, context: Context | None = None) -> None:
        """Take one measurement. Never raises, never waits."""
        where: Any = None
        try:
            if not (self._least <= amount <= _LARGEST and self._meter_config._config.is_enabled):
                self._refuse()
                return
            cell = self._known.get((*attributes, *attributes.values()) if attributes else ())
            if cell is not None:
                if cell.numbers and not cell.is_for(attributes or {}):
                    cell = None
                elif self._traced:
                    span: Any = (context or _current()).get(_SPAN_KEY)
                    if span is not None:
                        where = span.get_span_context()
        except Exception:  # of an attribute that cannot be hashed, a number that is none
            cell = None
        if cell is None:
            self._seldom(amount, attributes, context)
            return
        if where is not None and where[3] & 1:
            cell.sampled.append((amount, time_ns(), where))
        cell.append(amount)
        if len(cell) >= cell.room:
            self._relieve(cell)

    def make_lock(self) -> None:
        """A new lock. Not one that a thread can take twice: what interrupts a folding must not fold."""
        self.lock = threading.Lock()
        self.loose = deque()

    def fold(self) -> None:
        """Fold what waits into the aggregations, for a collection."""
        cells = self.cells
        with self.lock:
            if cells is not None:
                cells.fold_all()
            fold_loose(self.loose)

    def forget_plan(self) -> None:
        """Readers have changed: fold what waits for those that there were, and find out anew."""
        self._planned, self._known = False, _NONE
        cells = self.__dict__.pop("cells", None)
        if cells is not None:
            with self.lock:
                cells.fold_all(end=True)

    def renew_after_fork(self) -> None:
        """Begin anew in a child process: what waits is the parent's to report."""
        self.make_lock()
        self._planned, self._known = False, _NONE
        self.__dict__.pop("cells", None)

    def _relieve(self, cell: Cell) -> None:
        cells = self.cells
        if cells is None:  # the plan was forgotten a moment ago
            self.loose.append(cell)
        else:
            cells.relieve(cell)

    def _seldom(self, amount: float, attributes: Attributes, context: Context | None) -> None:
        try:
            if not self._least <= amount <= _LARGEST:
                self._refuse()
                return
            if not self._planned:
                self._plan()
            cells = self.cells
            if cells is None:
                self._by_sdk(amount, attributes, context)
            else:
                cells.take(amount, attributes, self._sampled(amount, context))
        except Exception as error:
            self._measurement_consumer.faults.note(self.name, type(error).__name__)

    def _sampled(self, amount: float, context: Context | None) -> Sampled | None:
        if not self._traced:
            return None
        span: Any = (context if isinstance(context, dict) and context else _current()).get(_SPAN_KEY)
        where = None if span is None else span.get_span_context()
        return (amount, time_ns(), where) if where is not None and where[3] & 1 else None

    def _plan(self) -> None:
        consumer: Consumer = self._measurement_consumer
        self._traced = consumer.traced
        while True:
            generation = consumer.generation
            plan = consumer.plan(self)
            if plan is not None:
                # Without a lock: this may be a signal handler amid the same lines.
                self._known = self.__dict__.setdefault("cells", plan).known
            self._planned = True
            if consumer.generation == generation:
                return
            self.forget_plan()

    def _refuse(self) -> None:
        if self._meter_config._config.is_enabled:
            self._measurement_consumer.faults.note(self.name, "not a number that it can take")

    def _by_sdk(self, amount: float, attributes: Attributes, context: Context | None) -> None:
        raise NotImplementedError


class KitCounter(_Counter, Quick):  # in this order, or Python would not let the class be set
    """A counter."""

    add = Quick.measure

    def _by_sdk(self, amount: float, attributes: Attributes, context: Context | None) -> None:
        _Counter.add(self, amount, attributes, context)


class KitUpDownCounter(_UpDownCounter, Quick):  # in this order, or Python would not let the class be set
    """A counter that goes down, too."""

    _least = -_LARGEST
    add = Quick.measure

    def _by_sdk(self, amount: float, attributes: Attributes, context: Context | None) -> None:
        _UpDownCounter.add(self, amount, attributes, context)


class KitHistogram(_Histogram, Quick):  # in this order, or Python would not let the class be set
    """A histogram."""

    record = Quick.measure

    def _by_sdk(self, amount: float, attributes: Attributes, context: Context | None) -> None:
        _Histogram.record(self, amount, attributes, context)


class KitGauge(_Gauge):
    """A gauge: rarely set, and of two values the last counts, so it stays with the SDK."""

    lock: threading.Lock

    def set(self, amount: float, attributes: Attributes = None, context: Context | None = None) -> None:
        """Take the value. Never raises."""
        consumer: Any = self._measurement_consumer
        try:
            if -_LARGEST <= amount <= _LARGEST:
                super().set(amount, attributes, context)
            else:
                consumer.faults.note(self.name, "not a number that it can take")
        except Exception as error:
            consumer.faults.note(self.name, type(error).__name__)

    def forget_plan(self) -> None:
        """Nothing is planned."""

    def fold(self) -> None:
        """Nothing waits."""

    def make_lock(self) -> None:
        """A new lock."""
        self.lock = threading.Lock()

    renew_after_fork = make_lock


#: What the SDK makes -> what becomes of it.
OF_SDK: Final[dict[type, type]] = {
    _Counter: KitCounter,
    _UpDownCounter: KitUpDownCounter,
    _Histogram: KitHistogram,
    _Gauge: KitGauge,
}

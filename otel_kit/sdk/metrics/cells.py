"""The attribute sets that an instrument has seen lately, each with the measurements that wait beside it.

Recording is one look-up and one append, both atomic in Python: no lock, so nothing can be lost between
threads, and neither a signal handler nor a collection can hold anybody up. The collecting thread folds what
waits into the SDK's aggregations; a thread that fills a cell tries to do so itself, and leaves it where
somebody is at it already.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from functools import partial
from time import time_ns
from typing import Any, Final

from opentelemetry.attributes import _clean_attribute_value

from otel_kit.sdk.metrics import fold
from otel_kit.sdk.metrics.fold import Sampled
from otel_kit.sdk.notes import quietly

__all__ = ["LONGEST", "Cell", "Cells", "cut", "fold_loose"]

#: Measurements that may wait in a cell: 2,000 full ones hold 8 MB.
ROOM: Final = 128
#: Sets that are not kept and wait for the collection.
LOOSE: Final = 256
#: Characters of a text. Datadog cuts a tag at 200; without a bound, a body that some service takes for a tag
#: would be held thousands of times.
LONGEST: Final = 1024
_SIMPLE: Final = frozenset({str, int, bool, float})
_EXACT: Final = frozenset({int, bool, float})
_NUMBERS: Final = frozenset({int, float})


class Cell(list[float]):
    """Measurements of one attribute set that are not in an aggregation yet.

    Attributes:
        room: how many may wait; 0 once the cell is given up, so that whoever still adds to it notices.
        sampled: those that may become exemplars.
        numbers: key and type of each value that is a number: True, 1 and 1.0 are equal for Python only.
        attributes: the attributes, clean.
        targets: of each view and reader the key of its attribute set, and that set; found when first folded,
            which is mostly done by a thread of ours.
        born: nanoseconds since the epoch.
    """

    __slots__ = ("attributes", "born", "matches", "numbers", "room", "sampled", "targets")

    def __init__(self, attributes: dict[str, Any], matches: Sequence[Any]) -> None:
        self.room = ROOM
        self.sampled: list[Sampled] = []
        self.attributes = attributes
        self.numbers = tuple((key, type(v)) for key, v in attributes.items() if type(v) in _EXACT)
        self.matches = matches
        self.targets: list[tuple[Any, Any, Any]] | None = None
        self.born = time_ns()

    def is_for(self, attributes: Mapping[str, Any]) -> bool:
        """Whether the numbers among the attributes are of the same kinds."""
        for key, kind in self.numbers:  # noqa: SIM110 - three times as quick as all()
            if type(attributes[key]) is not kind:
                return False
        return True


def _key(attributes: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a set is found by; quick rather than exact, see `Cell.is_for`."""
    return (*attributes, *attributes.values())


def _lasting(attributes: Mapping[str, Any]) -> bool:
    """Whether the set may be kept as it came: nothing in it to clean, and nothing that changes later."""
    return all(type(key) is str and key and _constant(value) for key, value in attributes.items())


def _constant(value: Any) -> bool:
    kind = type(value)
    if kind is str:
        return len(value) <= LONGEST
    return kind in _SIMPLE and (kind is not float or math.isfinite(value))


def cut(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes with texts of `LONGEST` characters at most."""
    return {key: value[:LONGEST] if isinstance(value, str) else value for key, value in attributes.items()}


def _clean(attributes: Any) -> dict[str, Any]:
    """As the SDK does it, with texts cut; what is no mapping counts as none."""
    return cut(_clean_attribute_value(attributes, None)) if isinstance(attributes, Mapping) else {}


class Cells:
    """The cells of one instrument.

    Args:
        matches: of each view and reader, where the SDK keeps the aggregations of this instrument.
        lock: held by whoever touches these.
        loose: cells that are not kept, or not any more, and wait for the collection.
        limit: how many sets are kept.
    """

    def __init__(self, matches: Sequence[Any], lock: threading.Lock, loose: deque[Cell], limit: int) -> None:
        self.known: dict[tuple[Any, ...], Cell] = {}
        self._matches = matches
        self._lock = lock
        self._limit = limit
        self._loose = loose
        self._ended = False

    def take(self, amount: float, attributes: Any, sampled: Sampled | None) -> None:
        """A measurement whose attributes were not found at once."""
        attributes = attributes or {}
        cell = self._kept(attributes) if isinstance(attributes, Mapping) else None
        if cell is not None:
            self.put(cell, amount, sampled)
            return
        cell = Cell(_clean(attributes), self._matches)
        cell.room = 0
        self.put(cell, amount, sampled)

    def _kept(self, attributes: Mapping[str, Any]) -> Cell | None:
        if not _lasting(attributes):
            return None
        key = _key(attributes)
        cell = self.known.get(key)
        if cell is not None and not cell.is_for(attributes):
            key = (*key, *map(type, attributes.values()))
            cell = self.known.get(key)
        if cell is None and len(self.known) < self._limit:
            cell = self.known.setdefault(key, Cell(dict(attributes), self._matches))
            if self._ended:  # after the last look into `known`, perhaps
                cell.room = 0
        return cell

    def put(self, cell: Cell, amount: float, sampled: Sampled | None) -> None:
        """Add a measurement to a cell."""
        if sampled is not None:
            cell.sampled.append(sampled)
        cell.append(amount)
        if len(cell) >= cell.room:
            self.relieve(cell)

    def relieve(self, cell: Cell) -> None:
        """Fold a cell that is full or given up, unless somebody else is folding. Never raises."""
        quietly("folding a metric", lambda: self._relieve(cell))

    def _relieve(self, cell: Cell) -> None:
        loose = cell.room == 0
        if loose:
            self._loose.append(cell)
        if (not loose or len(self._loose) >= LOOSE) and self._lock.acquire(blocking=False):
            try:
                if loose:
                    fold_loose(self._loose)
                else:
                    _fold(cell)
            finally:
                self._lock.release()

    def fold_all(self, *, end: bool = False) -> None:
        """Fold all that waits; cells that nobody used since the last time are given up, or all at the end.

        The lock must be held.
        """
        self._ended = self._ended or end
        for key, cell in self.known.copy().items():
            if end or not cell:
                cell.room = 0  # before the last look into it: whoever adds after that sees it
                self.known.pop(key, None)
            quietly("folding a metric", partial(_fold, cell))


def fold_loose(cells: deque[Cell]) -> None:
    """Fold and forget these; the lock must be held."""
    for _ in range(len(cells)):
        quietly("folding a metric", partial(_fold, cells.popleft()))


def _fold(cell: Cell) -> None:
    # Others append meanwhile, at the end; only what was copied is taken away.
    values = cell[: len(cell)]
    del cell[: len(values)]
    sampled = cell.sampled[: len(cell.sampled)]
    del cell.sampled[: len(sampled)]
    if not _NUMBERS.issuperset(map(type, values)):
        values = [float(value) for value in values]  # of numpy, decimals, booleans
    if not values:
        return
    if cell.targets is None:
        cell.targets = [(match, *match.key(cell.attributes)) for match in cell.matches]
    for match, key, attributes in cell.targets:
        aggregation = match.find(key, attributes, cell.born)
        fold.add(aggregation, values)
        if sampled:
            fold.offer(aggregation, sampled, cell.attributes)

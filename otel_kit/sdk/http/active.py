"""How many are going on: counted without a lock, and told when metrics are collected."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterable, Mapping
from typing import Any

from opentelemetry.metrics import CallbackOptions, Meter, Observation

__all__ = ["Active"]


class Active:
    """The requests that are not answered yet, or the sockets that are open.

    Each is an entry of a list, whose length is their number: to add one and to take one away are single
    steps of the interpreter, also between threads, and cost a tenth of a measurement.

    Args:
        meter: of the metric.
        name: of the metric.
        unit: of the metric.
        description: of the metric.
    """

    def __init__(self, meter: Meter, name: str, *, unit: str, description: str) -> None:
        self._lists: dict[tuple[Any, ...], list[None]] = {}
        meter.create_observable_up_down_counter(name, [self._observe], unit, description)
        # Those of the parent process are not the child's.
        forget = weakref.WeakMethod(self._forget)
        os.register_at_fork(after_in_child=lambda: (forget() or _nothing)())

    def of(self, attributes: Mapping[str, str]) -> list[None]:
        """The list of those with these attributes, whose values are few."""
        return self._lists.setdefault(tuple(attributes.items()), [])

    def _observe(self, _: CallbackOptions) -> Iterable[Observation]:
        for attributes, entries in list(self._lists.items()):
            yield Observation(len(entries), dict(attributes))

    def _forget(self) -> None:
        for entries in self._lists.values():
            entries.clear()


def _nothing() -> None:
    """In the place of what is no more."""

"""Asks the callbacks of observable instruments. They are the service's: they may fail, or take forever."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable, Sequence
from typing import Any, Final

from opentelemetry.metrics import CallbackOptions

from otel_kit.sdk.delivery.threads import spawn
from otel_kit.sdk.notes import LOGGER, RateLimit, quietly

__all__ = ["Observer"]

#: Observations that are taken of one instrument at once: a generator may go on forever.
_MOST: Final = 20_000


class Observer:
    """Asks instruments in a thread of its own, where somebody cannot wait for them and a thread can be had.

    One that does not answer in time is left out, and not asked again while it still is at it. What it then
    says is not used: added to what it says the next time, a counter would count twice.
    """

    def __init__(self) -> None:
        self._late: set[Any] = set()
        self._lock = threading.Lock()
        self._line = RateLimit(60.0)

    def ask(self, instruments: Iterable[Any], options: CallbackOptions, patience: float | None) -> list[Any]:
        """The measurements of those that answer within `patience` seconds, all together.

        With None they are asked here, and take what time they take.
        """
        with self._lock:
            wanted = [instrument for instrument in instruments if instrument not in self._late]
        if patience is None:
            answers = [_ask(instrument, options) for instrument in wanted]
        else:
            answers = self._ask_beside(wanted, options, patience) if wanted else []
        return [measurement for answer in answers for measurement in answer]

    def _ask_beside(
        self, wanted: list[Any], options: CallbackOptions, patience: float
    ) -> list[Sequence[Any]]:
        answers: dict[Any, Sequence[Any]] = {}
        done = threading.Event()

        def work() -> None:
            for instrument in wanted:
                answer = _ask(instrument, options)
                with self._lock:
                    answers[instrument] = answer
                    self._late.discard(instrument)
            done.set()

        try:
            spawn("otel-kit-observe", work)
        except RuntimeError:  # as Python ends it starts no thread any more, nor does a full container
            work()
        done.wait(patience)
        with self._lock:
            # The first of them is being asked, the others will be, by that thread.
            late = [instrument for instrument in wanted if instrument not in answers]
            self._late.update(late)
            in_time = list(answers.values())
        if late and self._line.allows():
            name = late[0].name
            LOGGER.warning(
                "otel-kit: the callback of the metric %s takes over %g s; left out", name, patience
            )
        return in_time


def _ask(instrument: Any, options: CallbackOptions) -> Sequence[Any]:
    what = f"the callback of the metric {instrument.name}"

    def ask() -> list[Any]:
        told = list(itertools.islice(instrument.callback(options), _MOST + 1))
        if len(told) > _MOST:
            why = f"its callback yields more than {_MOST} at once"
            instrument._measurement_consumer.faults.note(instrument.name, why)
        return told[:_MOST]

    return quietly(what, ask, BaseException) or ()

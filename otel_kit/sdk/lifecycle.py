"""When telemetry is flushed: one budget for all signals together, whatever ends the process.

The end of an ASGI lifespan triggers that, and what `otel_kit.sdk.endings` watches. Each flushes what came
since the one before; what they wait adds up to the budget at most. Whoever records telemetry never waits.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from otel_kit.sdk.delivery.outbox import Outbox
from otel_kit.sdk.delivery.tally import Tally
from otel_kit.sdk.notes import LOGGER, quietly

__all__ = ["Lifecycle", "Stage"]


class Stage(Protocol):
    """The thread of one signal that makes requests of what was recorded."""

    outbox: Outbox

    def start(self) -> None:
        """Start its thread."""

    def ask(self) -> int:
        """Ask for all that was recorded to be put in the outbox; a ticket for `wait`."""

    def wait(self, ticket: int, deadline: float) -> bool:
        """Wait for that; False at the deadline."""

    def hasten(self, *, on: bool) -> None:
        """Batch for moments only: the process is about to end."""

    def close(self) -> None:
        """Take nothing more."""

    def renew_after_fork(self) -> None:
        """Begin anew in a child process."""


class Lifecycle:
    """Flushes and ends the pipelines of all signals.

    Args:
        stages: one for each signal.
        tallies: one for each signal.
        budget: seconds that the end of the process may be held up; may be changed.
        renew: what else has to begin anew in a child process; runs before the stages.

    Attributes:
        exiting: Python is at its exit, with a status that is settled.
    """

    def __init__(
        self, stages: Sequence[Stage], tallies: Sequence[Tally], *, budget: float, renew: Callable[[], None]
    ) -> None:
        self._stages = stages
        self._tallies = tallies
        self.budget = budget
        self._renew = renew
        self._last: list[Callable[[], None]] = []
        self._reset()

    def _reset(self) -> None:
        self._spent = 0.0
        self._delivered = False
        self._ended = False
        self._ending = False
        self._terminated = False
        self.exiting = False
        self._lock = threading.RLock()

    def start(self) -> None:
        """Start the threads, in each child process as well."""
        for stage in self._stages:
            stage.outbox.start()
            stage.start()
        if hasattr(os, "register_at_fork"):
            # After the providers have registered theirs, so that it runs after theirs.
            os.register_at_fork(after_in_child=self._after_fork)

    def before_end(self, work: Callable[[], None]) -> None:
        """Have `work` record what it still has when the process is about to end; it must be quick."""
        self._last.append(work)

    def flush(self, timeout: float) -> bool:
        """Deliver all that was recorded before; False where that did not work within `timeout` seconds."""
        return bool(quietly("flush", lambda: self._flush(time.monotonic() + timeout)))

    def pause(self) -> None:
        """The service has ended its work: flush, and from now on send soon what still comes."""
        self._flush_in_budget()
        for stage in self._stages:
            stage.hasten(on=True)

    def resume(self) -> None:
        """The service begins (again): batch as usual, and its end has a budget of its own.

        Unless the collector did not answer: a test suite with many lifespans must not wait for each.
        """
        if self._delivered:
            self._spent = 0.0
        for stage in self._stages:
            stage.hasten(on=False)

    def nudge(self) -> None:
        """Send what there is without waiting for it."""
        for stage in self._stages:
            stage.hasten(on=True)
            stage.ask()

    def end(self) -> None:
        """Flush and close; only the first call does something.

        Raises:
            BaseException: what a signal handler raises meanwhile; then the flush ends, and says so.
        """
        with self._lock:
            if self._ended:
                return
            self._ended = self._ending = True
        try:
            quietly("shutdown", self._end)
        finally:
            self._ending = False
            if self._terminated:
                os.kill(os.getpid(), signal.SIGTERM)

    def end_at_exit(self) -> None:
        """`end`, whatever signals come meanwhile; waits where it is at work in another thread."""
        self.exiting = True
        with contextlib.suppress(KeyboardInterrupt, SystemExit):
            self.end()
            latest = time.monotonic() + self.longest
            while self._ending and time.monotonic() < latest:
                time.sleep(0.01)

    def terminate_later(self) -> None:
        """Send SIGTERM again once `end`, which is at work, has done its work."""
        self._terminated = True
        if not self._ending:  # it was done a moment ago, and may not have seen this
            os.kill(os.getpid(), signal.SIGTERM)

    @property
    def ending(self) -> bool:
        """`end` is at work."""
        return self._ending

    @property
    def ended(self) -> bool:
        """`end` has been called."""
        return self._ended

    @property
    def longest(self) -> float:
        """Seconds after which `end` has surely returned, unless something is wrong with it."""
        return self.budget + 0.5

    def _end(self) -> None:
        before = self._figures()
        for stage in self._stages:
            stage.hasten(on=True)
        try:
            self._flush_to_the_end()
        finally:
            for stage in self._stages:
                stage.close()
                stage.outbox.close()
            self._tell(before)

    def _flush_to_the_end(self) -> None:
        while True:
            try:
                return self._flush_in_budget()
            except SystemExit:  # of the service's handler of a second signal; the first may have led here
                if not self.exiting:
                    raise

    def _tell(self, before: tuple[int, int]) -> None:
        after = self._figures()
        flushed, dropped = after[0] - before[0], after[1] - before[1]
        LOGGER.log(
            logging.WARNING if dropped else logging.INFO if flushed else logging.DEBUG,
            "otel-kit: at the end flushed %d and dropped %d items (spans, log records, metric points)",
            flushed,
            dropped,
        )

    def _figures(self) -> tuple[int, int]:
        figures = [tally.figures() for tally in self._tallies]
        return sum(f[0] for f in figures), sum(f[1] for f in figures)

    def _flush_in_budget(self) -> None:
        begin = time.monotonic()
        try:
            for work in self._last:
                quietly("shutdown", work)
            self._delivered = self._flush(begin + max(0.0, self.budget - self._spent))
        finally:
            self._spent += time.monotonic() - begin

    def _flush(self, deadline: float) -> bool:
        tickets = [stage.ask() for stage in self._stages]
        done = [stage.wait(ticket, deadline) for stage, ticket in zip(self._stages, tickets, strict=True)]
        for stage in self._stages:
            stage.outbox.hurry(deadline)
        done += [stage.outbox.wait_empty(deadline) for stage in self._stages]
        return all(done)

    def _after_fork(self) -> None:
        quietly("fork", self._begin_anew)

    def _begin_anew(self) -> None:
        ended = self._ended
        self._reset()
        if ended:
            self._ended = True
            return
        for tally in self._tallies:
            tally.renew_after_fork()
        self._renew()
        for stage in self._stages:
            stage.outbox.renew_after_fork()
            stage.renew_after_fork()

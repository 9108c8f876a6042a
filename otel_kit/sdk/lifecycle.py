"""When telemetry is flushed: one budget for all signals together, whatever ends the process.

Triggers, in the order in which they usually come: the ASGI lifespan's end, SIGTERM, normal exit,
``os._exit``. None of them alone is enough: uvicorn ends by raising SIGTERM again, with the handler that was
there before us, a script has no lifespan, and a forked child often skips the normal exit. Each flushes what
came since the one before; what they wait adds up to the budget at most. Whoever records telemetry never
waits.
"""

from __future__ import annotations

import _thread
import atexit
import contextlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any, NoReturn, Protocol

from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, set_value

from otel_kit.sdk.delivery.outbox import Outbox
from otel_kit.sdk.delivery.tally import Tally
from otel_kit.sdk.notes import LOGGER, quietly
from otel_kit.sdk.patching import replace

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
        budget: seconds that the end of the process may be held up.
        renew: what else has to begin anew in a child process; runs before the stages.
    """

    def __init__(
        self, stages: Sequence[Stage], tallies: Sequence[Tally], *, budget: float, renew: Callable[[], None]
    ) -> None:
        self._stages = stages
        self._tallies = tallies
        self._budget = budget
        self._renew = renew
        self._last: list[Callable[[], None]] = []
        self._reset()

    def _reset(self) -> None:
        self._spent = 0.0
        self._delivered = False
        self._ended = False
        self._ending = False
        self._lock = threading.RLock()

    def start(self) -> None:
        """Start the threads and install the triggers; SIGTERM only from the main thread."""
        for stage in self._stages:
            stage.outbox.start()
            stage.start()
        atexit.register(self.end)
        _end_with_multiprocessing(self)
        _chain_sigterm(self)
        replace(signal, "raise_signal", lambda original: _flushing_before(original, self))
        replace(os, "_exit", lambda original: _ending_before(original, self))
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
        """Flush and close; only the first call does something. Never raises."""
        with self._lock:
            if self._ended:
                return
            self._ended = self._ending = True
        quietly("shutdown", self._end)
        self._ending = False

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
        return self._budget + 0.5

    def _end(self) -> None:
        before = self._figures()
        for stage in self._stages:
            stage.hasten(on=True)
        self._flush_in_budget()
        for stage in self._stages:
            stage.close()
            stage.outbox.close()
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
        for work in self._last:
            quietly("shutdown", work)
        self._delivered = self._flush(begin + max(0.0, self._budget - self._spent))
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
        _end_with_multiprocessing(self)


def _end_with_multiprocessing(lifecycle: Lifecycle) -> None:
    """Children of multiprocessing end by os._exit: no atexit, only their own finalizers."""
    util: Any = sys.modules.get("multiprocessing.util")
    if util is None:
        return

    def end_with_it() -> None:
        util.Finalize(None, lifecycle.end, exitpriority=0)

    # A child clears all finalizers when it begins, and then runs these; one that has begun is past that.
    util.register_after_fork(lifecycle, lambda _: end_with_it())
    if sys.modules["multiprocessing.process"].parent_process() is not None:
        end_with_it()


def _chain_sigterm(lifecycle: Lifecycle) -> None:
    if threading.current_thread() is not threading.main_thread():
        LOGGER.debug("otel-kit: init() outside the main thread; SIGTERM is left to the service")
        return
    previous = signal.getsignal(signal.SIGTERM)
    if previous is None or previous is signal.SIG_IGN:
        return

    def on_sigterm(signum: int, frame: FrameType | None) -> None:
        if callable(previous):
            # The service ends in its own way, which must not be held up; its exit flushes the rest.
            _beside(lifecycle.nudge, wait=0.0)
            previous(signum, frame)
        elif not lifecycle.ending:  # else the process is about to exit anyway
            _beside(lifecycle.end, wait=lifecycle.longest)
            signal.signal(signum, signal.SIG_DFL)
            os.kill(os.getpid(), signum)
            if os.getpid() == 1:  # as in a container: the kernel spares it from default actions
                os._exit(128 + signum)

    with contextlib.suppress(ValueError):  # a subinterpreter
        signal.signal(signal.SIGTERM, on_sigterm)


def _flushing_before(original: Callable[[int], None], lifecycle: Lifecycle) -> Callable[[int], None]:
    """``signal.raise_signal``, by which uvicorn ends after it has put SIGTERM's default action back."""

    def raise_signal(signum: int) -> None:
        deadly = signum in (signal.SIGTERM, signal.SIGINT) and signal.getsignal(signum) is signal.SIG_DFL
        if deadly and os.getpid() != 1:
            _beside(lifecycle.end, wait=lifecycle.longest)
        original(signum)

    return raise_signal


def _ending_before(original: Callable[[int], NoReturn], lifecycle: Lifecycle) -> Callable[[int], NoReturn]:
    """``os._exit``, by which forked children end, those of task queues, say, that shall not clean up."""

    def _exit(status: int) -> NoReturn:
        if not lifecycle.ended:
            _beside(lifecycle.end, wait=lifecycle.longest)
        original(status)

    return _exit


def _beside(work: Callable[[], None], *, wait: float) -> None:
    """Run `work` in a thread, and wait for it: a handler runs amid other code, whose locks may be held.

    `threading.Thread` would take some of these itself.
    """
    done = _thread.allocate_lock()
    done.acquire()

    def run() -> None:
        attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, value=True))
        quietly("the end of the process", work, BaseException)
        done.release()

    try:
        _thread.start_new_thread(run, ())
    except RuntimeError:  # none can be had, as at the end of Python; the service's own end must go on
        return
    if wait:
        done.acquire(timeout=wait)

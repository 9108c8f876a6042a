"""What ends a process: normal exit, SIGTERM, ``os._exit``, the ways of multiprocessing and of servers.

None of them alone is enough: uvicorn ends by raising SIGTERM again, with the handler that was there before
us, a script has no lifespan, and a forked child often skips the normal exit.
"""

from __future__ import annotations

import _thread
import atexit
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, Final, NoReturn

from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, set_value

from otel_kit.sdk.lifecycle import Lifecycle
from otel_kit.sdk.notes import LOGGER, quietly
from otel_kit.sdk.patching import replace

__all__ = ["tell_of_sigterm", "watch"]


def watch(lifecycle: Lifecycle) -> None:
    """Have `lifecycle` flush whenever the process ends; for SIGTERM that takes the main thread.

    After its start, so that of the hooks after a fork its own is the first.
    """
    atexit.register(lifecycle.end_at_exit)
    _watch_multiprocessing(lifecycle)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lambda: quietly("fork", lambda: _watch_child(lifecycle)))
    _watch_sigterm(lifecycle)
    replace(signal, "raise_signal", lambda original: _flushing_before(original, lifecycle))
    replace(os, "_exit", lambda original: _ending_before(original, lifecycle))


def tell_of_sigterm() -> None:
    """Tell where it ends the process without a flush."""
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        LOGGER.warning(
            "otel-kit: init() was called outside the main thread, so SIGTERM ends the process without a "
            "flush unless the service handles it; call init() in the main thread"
        )


def _watch_child(lifecycle: Lifecycle) -> None:
    if not lifecycle.ended:
        _watch_multiprocessing(lifecycle)
        _watch_thread()


def _watch_multiprocessing(lifecycle: Lifecycle) -> None:
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


def _watch_thread() -> None:
    """In a child process: end it with the thread that forked it, where that was not the main one.

    Nobody waits for other threads then, and nobody ends them: it would go on for the sake of ours alone.
    """
    if threading.current_thread().__class__.__name__ != "_MainThread" and not hasattr(_thread_local, "end"):
        _thread_local.end = _EndOfThread()


class _EndOfThread:
    """Lives as long as its thread."""

    def __del__(self) -> None:
        with contextlib.suppress(Exception):  # of a thread that cannot be waited for
            while others := _threads_of_service():
                others[0].join()
        os._exit(0)


def _threads_of_service() -> list[threading.Thread]:
    """Those besides this one, and ours."""
    this = threading.get_ident()
    every = threading.enumerate()
    return [each for each in every if each.ident != this and not each.name.startswith("otel-kit")]


_thread_local: Final = threading.local()


def _watch_sigterm(lifecycle: Lifecycle) -> None:
    previous = signal.getsignal(signal.SIGTERM)
    if previous is None or previous is signal.SIG_IGN:
        return
    if threading.current_thread() is not threading.main_thread():
        return

    def by_service(signum: int, frame: FrameType | None) -> None:
        # The service ends in its own way, which must not be held up; its exit flushes the rest.
        _beside(lifecycle.nudge, wait=0.0)
        if callable(previous):
            previous(signum, frame)

    with contextlib.suppress(ValueError):  # a subinterpreter
        signal.signal(signal.SIGTERM, by_service if callable(previous) else _default_action(lifecycle))
        replace(signal, "signal", lambda original: _flushing_by_default(original, lifecycle))


def _default_action(lifecycle: Lifecycle) -> Callable[[int, FrameType | None], None]:
    """A handler that does what happens where there is none, after a flush."""
    set_handler = signal.signal

    def on_sigterm(signum: int, _: FrameType | None) -> None:
        if lifecycle.exiting:
            return
        if lifecycle.ending:
            lifecycle.terminate_later()
            return
        _beside(lifecycle.end, wait=lifecycle.longest)
        set_handler(signum, signal.SIG_DFL)
        os.kill(os.getpid(), signum)
        if os.getpid() == 1:  # as in a container: the kernel spares it from default actions
            os._exit(128 + signum)

    return on_sigterm


def _flushing_by_default(original: Callable[..., Any], lifecycle: Lifecycle) -> Callable[..., Any]:
    """``signal.signal``, by which servers put SIGTERM's default action back, that ends a process at once."""
    on_sigterm = _default_action(lifecycle)

    def signal_(signalnum: int, handler: Any) -> Any:
        previous = original(signalnum, handler)
        if signalnum == signal.SIGTERM and handler is signal.SIG_DFL and os.getpid() != 1:
            original(signalnum, on_sigterm)
        return previous

    return signal_


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

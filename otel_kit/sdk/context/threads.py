"""Work that is handed to another thread goes on in the context of the one who handed it over.

Tasks of asyncio and `asyncio.to_thread` do so by themselves. Here it is made so for `threading.Thread` (and
`Timer`) and for the tasks of a `ThreadPoolExecutor`, which `run_in_executor` uses as well. Threads that
libraries keep for themselves stay without one, and so do processes that pools fork: the request that happens
to start such a thread or process is not what it works for later.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

from opentelemetry.context import Context

from otel_kit.sdk.imports import when_imported
from otel_kit.sdk.notes import fault
from otel_kit.sdk.patching import replace
from otel_kit.sdk.tracing.context import attach, current, detach

__all__ = ["install"]

#: Packages whose threads serve many masters: workers of pools, feeders of queues, loops of channels.
_KEEPERS: Final = frozenset(
    {
        *("anyio", "apscheduler", "concurrent", "ddtrace", "google", "grpc", "logging", "multiprocessing"),
        *("opentelemetry", "otel_kit", "pymongo", "sentry_sdk"),
    }
)


def install() -> None:
    """Hook into threads, and into executors as soon as those are imported."""
    replace(threading.Thread, "start", _start)
    when_imported("concurrent.futures.thread", _patch_executor)
    # The hook is kept as long as what it is registered for: the function itself.
    when_imported("multiprocessing.util", lambda module: module.register_after_fork(_leave, _leave))


def _patch_executor(module: ModuleType) -> None:
    replace(module.ThreadPoolExecutor, "submit", _submit)


def _start(original: Callable[..., Any]) -> Callable[..., Any]:
    def start(self: threading.Thread) -> Any:
        context = current()
        if not context:
            return original(self)
        own = self.__dict__
        before = own.get("run")
        try:
            if not _kept(self):
                own["run"] = _in_context(context, self, before)
        except Exception:
            fault("starting a thread")
        try:
            return original(self)
        except BaseException:
            _set_back(own, before)
            raise

    return start


def _in_context(context: Context, thread: threading.Thread, before: Callable[..., Any] | None) -> Any:
    own, run = thread.__dict__, thread.run

    def run_in_context() -> None:
        _set_back(own, before)  # without the circle thread -> run -> thread
        attach(context)  # ends with the thread
        run()

    return run_in_context


def _set_back(own: dict[str, Any], run: Callable[..., Any] | None) -> None:
    own.pop("run", None)
    if run is not None:
        own["run"] = run


def _kept(worker: Any) -> bool:
    """Whether a thread or a process works for a library; the classes of multiprocessing say nothing."""
    target = getattr(worker, "_target", None)
    kind = type(worker).__module__ if isinstance(worker, threading.Thread) else None
    names = (kind, getattr(target, "__module__", None))
    return any(isinstance(name, str) and name.partition(".")[0] in _KEEPERS for name in names)


def _leave(_: object) -> None:
    """In a child of multiprocessing: the context was that of whoever needed one more worker."""
    process: Any = sys.modules["multiprocessing.process"].current_process()
    if _kept(process):
        attach(Context())


def _submit(original: Callable[..., Any]) -> Callable[..., Any]:
    def submit(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        context = current()
        if not context or not args:  # without a function it is an error, which is theirs
            return original(self, *args, **kwargs)
        return original(self, _run, context, *args, **kwargs)

    return submit


def _run(context: Context, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    token = attach(context)
    try:
        return function(*args, **kwargs)
    finally:
        detach(token)

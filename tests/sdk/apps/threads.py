"""Work handed to other threads in every way; each piece records a span named for its way."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import gc
import logging
import multiprocessing
import sys
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

from opentelemetry import trace

import otel_kit
from tests.sdk.apps.say import say

log = logging.getLogger("threads")


def work(name: str) -> str:
    """One span and one log line; the name of the thread."""
    with trace.get_tracer("threads").start_as_current_span(name):
        log.info(name)
    return threading.current_thread().name


def fail(name: str) -> None:
    """The same, and an error."""
    work(name)
    raise LookupError(name)


class Own(threading.Thread):
    """A thread with a `run` of its own."""

    def run(self) -> None:
        """Work."""
        work("subclass")


def join(thread: threading.Thread) -> threading.Thread:
    """Run it to its end."""
    thread.start()
    thread.join()
    return thread


def threads() -> None:
    """By `threading` alone."""
    join(threading.Thread(target=work, args=("thread",), daemon=True))
    join(Own())
    join(threading.Timer(0.01, work, ("timer",)))
    join(threading.Thread(target=lambda: join(threading.Thread(target=work, args=("nested",)))))
    assigned = threading.Thread()
    assigned.run = lambda: (work("assigned"), None)[1]  # type: ignore[method-assign]
    join(assigned)
    once = join(threading.Thread(target=work, args=("once",)))
    try:
        once.start()
    except RuntimeError:
        pass
    else:
        raise AssertionError("it started twice")
    assert "run" not in vars(once)


def freed() -> bool:
    """A thread that has ended needs no collector to go."""
    gc.disable()
    kept = weakref.ref(join(threading.Thread(target=work, args=("freed",))))
    gc.enable()
    return kept() is None


def pool(executor: ThreadPoolExecutor) -> None:
    """By an executor: results, errors, keyword arguments and what is no function."""
    assert executor.submit(work, "submit").result() in executor.submit(work, name="keyword").result()
    assert list(executor.map(len, ["a", "bb"])) == [1, 2]
    assert set(executor.map(work, ["map"] * 3)) == {executor.submit(work, "again").result()}
    error = executor.submit(fail, "error").exception()
    assert isinstance(error, LookupError)
    assert isinstance(executor.submit(5).exception(), TypeError)  # type: ignore[arg-type]
    concurrent.futures.wait([executor.submit(work, "done")])
    try:
        executor.submit()  # type: ignore[call-arg]
    except TypeError:
        pass
    else:
        raise AssertionError("nothing can be submitted")


async def loop() -> None:
    """By asyncio."""
    running = asyncio.get_running_loop()
    await running.run_in_executor(None, work, "run_in_executor")
    await asyncio.to_thread(work, "to_thread")

    async def task() -> None:
        work("task")

    await asyncio.create_task(task())
    running.call_soon(work, "call_soon")
    await asyncio.sleep(0.01)
    copied = contextvars.copy_context()
    await running.run_in_executor(None, copied.run, work, "copied")


def processes() -> None:
    """Work of a pool whose process was made within a span, and of a process by itself."""
    forking = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(1, mp_context=forking) as executor:
        in_span("parent", lambda: executor.submit(work, "in process").result())
        executor.submit(work, "in process").result()

    def process() -> None:
        child = forking.Process(target=work, args=("process",))
        child.start()
        child.join()

    in_span("parent", process)


def in_span(name: str, call: Callable[[], object]) -> None:
    """Do it in a span."""
    with trace.get_tracer("threads").start_as_current_span(name):
        call()


def main() -> None:
    """All of it under spans, and work of the same pool outside of any."""
    executor = ThreadPoolExecutor(1, initializer=work, initargs=("initializer",))
    in_span("parent", threads)
    in_span("parent", lambda: pool(executor))
    in_span("parent", lambda: asyncio.run(loop()))
    executor.submit(work, "outside").result()
    join(threading.Thread(target=work, args=("alone",)))
    say("freed", freed())
    in_span("parent", lambda: say("freed", freed()))
    executor.shutdown()
    processes()


if __name__ == "__main__":
    otel_kit.init(service="threads", **({"instrument": False} if "off" in sys.argv else {}))  # type: ignore[arg-type]
    main()

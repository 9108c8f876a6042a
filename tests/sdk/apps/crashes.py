"""A job that ends by an error that nobody catches, in the way that its arguments say."""

from __future__ import annotations

import asyncio
import atexit
import functools
import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import util
from typing import Any

from opentelemetry import trace

import otel_kit
from tests.sdk.apps.say import say

tracer = trace.get_tracer("job")


def fail() -> None:
    """The error, with secrets in its message."""
    raise RuntimeError("no access: password=hunter2 of jane@example.com")


def fail_in_span() -> None:
    """The error leaves two spans."""
    with tracer.start_as_current_span("job"), tracer.start_as_current_span("step"):
        fail()


def after_another() -> None:
    """Errors that left spans have been dealt with; this one has left none."""
    for _ in range(10):
        try:
            fail_in_span()
        except RuntimeError:
            continue
    fail()


async def task() -> None:
    """In a task of its own."""
    await asyncio.create_task(asyncio.to_thread(fail_in_span))


def by_a_pool() -> None:
    """The error of another thread comes up in this one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(fail_in_span).result()


def join(worker: Any) -> None:
    """Run it to its end."""
    worker.start()
    worker.join()


def thread() -> None:
    """A thread that fails, and two that just end."""
    join(threading.Thread(target=fail_in_span, name="worker"))
    join(threading.Thread(target=sys.exit, args=("bye",)))
    join(threading.Thread(target=lambda: None))


def carried() -> None:
    """A thread that goes on in the span of who started it."""
    with tracer.start_as_current_span("job"):
        join(threading.Thread(target=fail))


def process() -> None:
    """A child that fails, one that leaves, and one that works."""
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=fail_in_span, name="child")]
    children += [context.Process(target=sys.exit, args=(5,)), context.Process(target=int)]
    for child in children:
        join(child)
    say("exit codes", [child.exitcode for child in children])


def work_with_init(task: Callable[[], object]) -> None:
    """What a child does that calls init itself; what it has to finish runs, too."""
    otel_kit.init(service="job")
    util.Finalize(None, lambda: logging.getLogger("child").info("finished"), exitpriority=-1)
    task()


def late() -> None:
    """Children that call init in their target: one fails, one leaves, one works."""
    tasks = (fail_in_span, functools.partial(sys.exit, 5), int)
    context = multiprocessing.get_context("spawn")
    children = [context.Process(target=work_with_init, args=(task,), name="child") for task in tasks]
    for child in children:
        join(child)
    say("exit codes", [child.exitcode for child in children])


def fork() -> None:
    """The child of os.fork fails; the parent has its exit code."""
    pid = os.fork()
    if pid == 0:
        fail_in_span()
    say("exit codes", [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])])


def interrupted() -> None:
    """As by Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with tracer.start_as_current_span("job"):
        signal.raise_signal(signal.SIGINT)


class Fragile:
    """Cannot be thrown away."""

    def __del__(self) -> None:
        fail()


#: Thrown away after all is over.
KEPT: list[Fragile] = []


def ignored() -> None:
    """Errors that Python cannot hand on."""
    Fragile()
    atexit.register(fail)
    KEPT.append(Fragile())


def closed() -> None:
    """Nobody reads stdout any more."""
    os.close(1)
    fail()


def at_a_prompt() -> None:
    """As in an interactive Python."""
    sys.ps1 = ">>> "
    fail()


def own_hooks() -> None:
    """Hooks of the service, set before init."""

    def say(*_: object) -> None:
        print("own hook", file=sys.stderr)  # noqa: T201

    sys.excepthook = threading.excepthook = sys.unraisablehook = say


WAYS = {
    "plain": fail,
    "span": fail_in_span,
    "after another": after_another,
    "task": lambda: asyncio.run(task()),
    "pool": by_a_pool,
    "thread": thread,
    "carried": carried,
    "process": process,
    "late": late,
    "fork": fork,
    "interrupted": interrupted,
    "exit": lambda: sys.exit(3),
    "ignored": ignored,
    "closed": closed,
    "prompt": at_a_prompt,
}

if __name__ == "__main__":
    if "own hooks" in sys.argv:
        own_hooks()
    if "before init" not in sys.argv:
        otel_kit.init(service="job")
    for way in sys.argv[1:]:
        WAYS.get(way, int)()

"""A process that ends in the way that its argument says, and tells what it has recorded."""

from __future__ import annotations

import asyncio
import atexit
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import Any

from opentelemetry import metrics, trace

import otel_kit
from tests.sdk.apps.say import say

log = logging.getLogger("ending")


def record(name: str, count: int = 1) -> None:
    """One of each, so many times."""
    counter = metrics.get_meter("ending").create_counter("ending.count")
    for _ in range(count):
        with trace.get_tracer("ending").start_as_current_span(name):
            log.info(name)
        counter.add(1, {"what": name})


def ready() -> None:
    """Say so, and wait for a signal."""
    say("ready")
    time.sleep(60)


def interrupted() -> None:
    """SIGINT as Python has it: KeyboardInterrupt."""
    try:
        record("before")
        ready()
    finally:
        record("finally")


def looping() -> None:
    """A script of asyncio that SIGINT cancels."""

    async def work() -> None:
        record("before")
        say("ready")
        try:
            await asyncio.sleep(60)
        finally:
            record("finally")

    asyncio.run(work())


def loop_handler() -> None:
    """A script of asyncio with a handler of its loop, set after init()."""

    async def work() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        record("before")
        say("ready")
        await stop.wait()
        record("finally")

    asyncio.run(work())


def late_handler() -> None:
    """A handler that is set after init(), in the place of ours."""
    # Not a threading.Event: a handler that sets it while its thread begins to wait would wait for itself.
    reads, writes = os.pipe()
    signal.signal(signal.SIGTERM, lambda *_: os.write(writes, b"."))
    record("before")
    say("ready")
    os.read(reads, 1)
    record("finally")


def default_again() -> None:
    """SIGTERM's default action is put back after init(), as servers do it."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    record("before")
    ready()


def twice() -> None:
    """A handler that raises, and a moment at which a second signal finds the process at its exit."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
    atexit.register(print, "exiting", flush=True)
    record("before")
    ready()


def impatient() -> None:
    """Ctrl-C while shutdown() waits for a collector; the service goes on."""
    record("before")
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        otel_kit.shutdown()
    except KeyboardInterrupt:
        ready()


def terminated_amid_shutdown() -> None:
    """SIGTERM while shutdown() waits for a collector."""
    record("before")
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM)).start()
    otel_kit.shutdown()
    time.sleep(60)


def flush_amid_flush() -> None:
    """A signal handler that flushes, at every line of a flush that there is."""
    amid, count = False, 0

    def at_line(_frame: FrameType, event: str, _: object) -> Any:
        nonlocal amid, count
        if event == "line" and not amid:
            amid, count = True, count + 1
            otel_kit.force_flush(0)
            amid = False
        return at_line

    record("before")
    sys.settrace(at_line)
    otel_kit.force_flush()
    sys.settrace(None)
    assert count > 50, count


def threads() -> None:
    """Threads that go on after the main one, a pool that nobody shuts down, and one that never ends."""

    def later(name: str) -> None:
        time.sleep(0.3)
        record(name)

    def forever() -> None:
        while True:
            record("daemon")
            time.sleep(0.001)

    threading.Thread(target=later, args=("thread",)).start()
    ThreadPoolExecutor(1).submit(later, "pool")
    threading.Thread(target=forever, daemon=True).start()
    atexit.register(record, "atexit")
    record("main")


def forks() -> None:
    """A child and a grandchild, and a child that ends without cleaning up."""
    record("parent", 3)
    child = os.fork()
    if child == 0:
        record("child", 2)
        grandchild = os.fork()
        if grandchild == 0:
            record("grandchild", 4)
            sys.exit(0)
        os.waitpid(grandchild, 0)
        record("child", 1)
        sys.exit(0)
    os.waitpid(child, 0)
    mute = os.fork()
    if mute == 0:
        record("mute")
        otel_kit.force_flush()
        os._exit(0)
    os.waitpid(mute, 0)
    record("parent", 2)


def forks_of_threads() -> None:
    """Children that a thread makes: one ends with it, one with a thread of its own."""

    def later() -> None:
        time.sleep(0.3)
        record("thread")

    def child(own: bool) -> None:
        if os.fork() == 0:
            record("child")
            if own:
                threading.Thread(target=later).start()
        else:
            os.wait()

    for own in (False, True):
        thread = threading.Thread(target=child, args=(own,))
        thread.start()
        thread.join()
    record("parent")


def busy_forks() -> None:
    """Children that are made while other threads record, as locks may be held at that moment."""
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            record("busy")

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    children = [
        multiprocessing.get_context("fork").Process(target=record, args=("child", 5)) for _ in range(8)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
    stop.set()
    for worker in workers:
        worker.join()  # or their lines come amid the next one
    say(f"codes {[child.exitcode for child in children]}")  # at once: lines come in between


def megabytes() -> int:
    """What the process has in memory now."""
    kilobytes = Path("/proc/self/status").read_text().partition("VmRSS:")[2].split()[0]
    return int(kilobytes) // 1024


def flood() -> None:
    """More than may be kept while nobody takes it; in megabytes, what that needs."""
    record("first", 2000)
    before, most = megabytes(), 0
    tracer = trace.get_tracer("flood")
    for number in range(200_000):
        tracer.start_span("flood", attributes={"number": number, "text": "x" * 100}).end()
        if number % 10_000 == 0:
            most = max(most, megabytes())
    say("grown", most - before)


MODES: dict[str, Callable[[], None]] = {
    one.__name__: one
    for one in (
        *(interrupted, looping, loop_handler, late_handler, default_again, twice, impatient),
        *(terminated_amid_shutdown, flush_amid_flush, threads, forks, forks_of_threads, busy_forks, flood),
    )
}

if __name__ == "__main__":
    otel_kit.init(service="ending")
    MODES[sys.argv[1]]()

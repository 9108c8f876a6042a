"""A process without a web server: records something, then ends in the way that its argument says."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import signal
import sys
import time

from opentelemetry import metrics, trace

import otel_kit
from tests.sdk.apps.say import say

log = logging.getLogger("job")


def record(count: int, name: str = "work") -> None:
    """`count` spans, log lines and additions to a counter."""
    counter = metrics.get_meter("script").create_counter("jobs.done")
    for number in range(count):
        with trace.get_tracer("script").start_as_current_span(name):
            log.info("%s %d", name, number)
        counter.add(1)


def child() -> None:
    """Work of a child process."""
    record(5, "child")


def fork() -> None:
    """Children by os.fork that end normally and at once, and one by multiprocessing."""
    otel_kit.force_flush()
    record(3, "parent")  # in the queue at the moment of the fork: the parent's to send
    for end in (sys.exit, os._exit):
        pid = os.fork()
        if pid == 0:
            child()
            end(0)
        os.waitpid(pid, 0)
    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join()
    record(2, "parent")


def fork_busy() -> None:
    """A parent that has worked and cleaned up a lot, and a child that does hardly anything."""
    while sum(os.times()[:2]) < 1:
        gc.collect()
    pid = os.fork()
    if pid == 0:
        sys.exit(0)
    os.waitpid(pid, 0)


def long_spans() -> None:
    """A long span, and short ones after it."""
    with trace.get_tracer("script").start_as_current_span("long") as span:
        span.set_attribute("text", "x" * int(os.environ["LENGTH"]))
    otel_kit.force_flush(0.2)
    record(3, "short")
    otel_kit.force_flush(15)


def set_back() -> None:
    """The clock is set back by an hour, which no test may do to the machine."""
    real = time.time_ns
    offset = 0
    time.time_ns = lambda: real() - offset
    otel_kit.init(service="script")
    counter = metrics.get_meter("script").create_counter("additions")
    counter.add(1)
    assert otel_kit.force_flush()
    offset = 3600 * 10**9
    for _ in range(3):
        counter.add(1)
        assert otel_kit.force_flush()


def flood() -> None:
    """More flushes than there are seconds to give to them."""
    counter = metrics.get_meter("script").create_counter("additions")
    results = []
    for _ in range(75):
        counter.add(1)
        results.append(otel_kit.force_flush())
    say(f"put off {results.count(False)}")


def own_handler() -> None:
    """A service with a SIGTERM handler of its own, set before init()."""
    # Not a threading.Event: a handler that sets it while its thread begins to wait would wait for itself.
    reads, writes = os.pipe()
    signal.signal(signal.SIGTERM, lambda *_: os.write(writes, b"."))
    otel_kit.init(service="script")
    record(20)
    say("ready")
    os.read(reads, 1)
    record(1, "last words")


def wait() -> None:
    """Wait for a signal that ends the process."""
    say("ready")
    time.sleep(60)


def flushes() -> None:
    """Many flushes within a second, each after one addition."""
    counter = metrics.get_meter("script").create_counter("additions")
    for _ in range(8):
        counter.add(1)
        otel_kit.force_flush()
    counter.add(1)


def many_sets() -> None:
    """Each kind of instrument with more attribute sets than it may have."""
    meter = metrics.get_meter("script")
    several = [{"n": number} for number in range(20)]
    meter.create_observable_gauge("observed", [lambda _: [metrics.Observation(1, one) for one in several]])
    for one in several * 5:
        meter.create_counter("count").add(1, one)
        meter.create_up_down_counter("level").add(1, one)
        meter.create_histogram("time").record(1, one)
        meter.create_gauge("set").set(1, one)


def main(mode: str) -> None:
    """Record 20 of each and end by `mode`."""
    if mode in ("own-handler", "set-back"):
        own_handler() if mode == "own-handler" else set_back()
        return
    if mode == "ignored":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    otel_kit.init(service="script")
    record(int(os.environ.get("COUNT", "20")))
    if mode == "exit":
        sys.exit(3)
    if mode == "exception":
        raise RuntimeError("unhandled")
    if mode == "long":
        long_spans()
    if mode == "fork":
        fork()
    elif mode == "losses":
        otel_kit.force_flush()
    elif mode == "flushes":
        flushes()
    elif mode == "flood":
        flood()
    elif mode == "fork-busy":
        fork_busy()
    elif mode == "many-sets":
        many_sets()
    elif mode == "shutdown":
        otel_kit.shutdown()
        record(2, "too late")
        otel_kit.force_flush(3600)  # has nobody left to wait for
    elif mode in ("wait", "ignored"):
        wait()


if __name__ == "__main__":
    main(sys.argv[1])

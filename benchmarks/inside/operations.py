"""Measures single operations of a peer: ``python -m benchmarks.inside.operations NAME SECONDS``.

Prints one JSON object: microseconds of CPU for an operation, and how many items were made in all. Paced
operations leave the exporting threads the time that they need, and count what these take.
"""

from __future__ import annotations

import logging
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, Final

from benchmarks.ask import ask
from benchmarks.inside import peer

FIVE: Final[dict[str, Any]] = {
    "http.method": "GET",
    "user.id": 12345,
    "tenant": "acme-corporation",
    "ratio": 0.25,
    "cached": True,
}
THREE: Final[dict[str, Any]] = {"route": "/items/{id}", "method": "GET", "status": 200}
TEN: Final[dict[str, Any]] = {
    "http.request.method": "GET",
    "url.scheme": "http",
    "url.path": "/items/42",
    "http.route": "/items/{item_id}",
    "http.response.status_code": 200,
    "server.address": "127.0.0.1",
    "server.port": 8080,
    "client.address": "127.0.0.1",
    "user_agent.original": "curl/8.1",
    "network.protocol.version": "1.1",
}
_RATE: Final = 4000
_BATCH: Final = 512
#: What a peer does once, in its first quiet moment, is no cost of an operation.
_SETTLING: Final = 1.5
_LADDER: Final = (8, 12, 16, 20, 25, 30, 40, 50, 60, 80, 100, 120, 160)  # thousands a second


def span(seconds: float) -> dict[str, float]:
    """A span with five attributes, what sends it included."""
    make = peer.span_maker()
    return _paced(lambda _: make("op", FIVE), seconds)


def log(seconds: float) -> dict[str, float]:
    """A log record, the line on stderr and what sends it included."""
    info = logging.getLogger("bench.log").info
    return _paced(lambda number: info("user %s did %s", number, "something"), seconds)


def histogram(seconds: float) -> dict[str, float]:
    """One measurement with three attributes, in a tight loop."""
    from opentelemetry import metrics

    record = metrics.get_meter("bench").create_histogram("bench.histogram").record
    chunk = 2000
    end = time.perf_counter() + seconds
    figures: list[float] = []
    while time.perf_counter() < end:
        begin = time.thread_time()
        for number in range(chunk):
            record(number % 100, THREE)
        figures.append((time.thread_time() - begin) / chunk)
    return {"us": 1e6 * statistics.median(figures), "made": 0}


def export(seconds: float) -> dict[str, float]:
    """Sending a span with ten attributes: all that the process does, less what the making takes."""
    make = peer.span_maker()
    end = time.perf_counter() + seconds
    figures: list[float] = []
    made = 0
    while time.perf_counter() < end or len(figures) < 5:
        begin, own = time.process_time(), time.thread_time()
        for number in range(_BATCH):
            make("GET /items/{item_id}", {**TEN, "url.path": f"/items/{made + number}"})
        own = time.thread_time() - own
        peer.flush_spans()
        figures.append((time.process_time() - begin - own) / _BATCH)
        made += _BATCH
    return {"us": 1e6 * statistics.median(figures), "made": made}


def rate(seconds: float) -> dict[str, float]:
    """The highest of several paced rates at which nothing is lost, by halving."""
    make = peer.span_maker()
    low, high = -1, len(_LADDER)
    _lossless(make, 2000, 0.5)
    while high - low > 1:
        middle = (low + high) // 2
        if _lossless(make, 1000 * _LADDER[middle], seconds):
            low = middle
        else:
            high = middle
    return {"per_second": 1000 * _LADDER[low] if low >= 0 else 0, "made": 0}


def _lossless(make: Callable[[str, dict[str, Any]], None], per_second: int, seconds: float) -> bool:
    """Whether that rate was reached, but for 3 %, and every span arrived."""
    before = _arrived()
    period = 0.005
    burst, rounds = int(per_second * period), int(seconds / period)
    begin = time.perf_counter()
    for number in range(rounds):
        for _ in range(burst):
            make("GET /items", TEN)
        time.sleep(max(0.0, begin + (number + 1) * period - time.perf_counter()))
    reached = rounds * burst / (time.perf_counter() - begin)
    return reached >= 0.97 * per_second and _all_arrive(before + rounds * burst)


def _all_arrive(items: int) -> bool:
    """Flush; whether so many items in all arrive within two seconds, for some are sent beside the flush."""
    peer.flush()
    deadline = time.monotonic() + 2
    while _arrived() < items:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _arrived() -> int:
    counts = ask(int(os.environ["BENCH_SINK"]), "counts")
    return sum(counts.get(kind, 0) for kind in ("spans", "logs", "traces"))


def _paced(operation: Callable[[int], None], seconds: float) -> dict[str, float]:
    """`_RATE` operations a second in bursts of 20 ms; the CPU of the whole process for one of them."""
    for number in range(200):
        operation(number)
    peer.flush()
    time.sleep(_SETTLING)
    period = 0.02
    burst, rounds = int(_RATE * period), int(seconds / period)
    before = _arrived()
    begin, cpu = time.perf_counter(), time.process_time()
    for number in range(rounds):
        for step in range(burst):
            operation(step)
        time.sleep(max(0.0, begin + (number + 1) * period - time.perf_counter()))
    made = burst * rounds
    if peer.PEER != "none":
        _all_arrive(before + made)
    return {"us": 1e6 * (time.process_time() - cpu) / made, "made": made + 200}


_OPERATIONS: Final = {f.__name__: f for f in (span, log, histogram, export, rate)}

if __name__ == "__main__":
    peer.plain_logging()
    peer.set_up()
    peer.leave(_OPERATIONS[sys.argv[1]](float(sys.argv[2])))

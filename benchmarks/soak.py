"""A service under steady load while its collector fails in every way, again and again: ``make soak``.

Each cycle has as many seconds with the collector as without it: away, silent, refusing for a time (503, 429)
or for good (400, which loses what was sent). The first two cycles fill what is bounded; after them memory,
threads and open files must not grow. Every span that was made has arrived in the end, or was told as dropped.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks import venvs
from benchmarks.cases.run import log
from benchmarks.peers import KIT, PEERS, environment
from benchmarks.processes import (
    DRIVER,
    SERVER,
    free_port,
    resident_bytes,
    run_json,
    spawn,
    stop,
    wait_for_port,
)
from benchmarks.results import SOAK, WARM_UP, machine, today
from benchmarks.sink import Sink

__all__ = ["Sample", "Soak", "is_flat", "slope", "summary"]

CYCLE: Final = ("up", "away", "up", "silent", "up", "503", "up", "429", "up", "400")
CYCLES: Final = 6
_RATE: Final = 200
#: What the median of a cycle may exceed that of the first one after the warm-up by.
_ROOM_MIB: Final = 2.0
_SETTLE: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The service at one moment: seconds since the begin, the cycle, and what it holds."""

    at: float
    cycle: int
    resident_mib: float
    threads: int
    files: int


@dataclass(kw_only=True)
class Soak:
    """The result.

    Attributes:
        p99_ms: mode of the collector to the median of the 99th percentiles of its phases, at 200 requests/s.
        cycles: medians of memory, and the most threads and files, of each cycle.
        mib_per_hour: slope of the memory after the warm-up.
        flat: whether memory, threads and files did not grow after the warm-up.
        counts: what was made, what arrived and what was told as dropped.
        counted: whether what arrived and what was dropped is all that was made.
    """

    date: str
    machine: dict[str, Any]
    minutes: float
    requests: int
    p99_ms: dict[str, float]
    cycles: list[dict[str, float]]
    mib_per_hour: float
    flat: bool
    counts: dict[str, int]
    counted: bool


def slope(samples: Sequence[Sample]) -> float:
    """Growth of the memory in MiB an hour, by least squares."""
    line = statistics.linear_regression([s.at / 3600 for s in samples], [s.resident_mib for s in samples])
    return line.slope


def summary(samples: Sequence[Sample]) -> list[dict[str, float]]:
    """One line for each cycle."""
    cycles = sorted({sample.cycle for sample in samples})
    groups = [[sample for sample in samples if sample.cycle == cycle] for cycle in cycles]
    return [
        {
            "resident_mib": round(statistics.median(s.resident_mib for s in group), 1),
            "threads": max(s.threads for s in group),
            "files": max(s.files for s in group),
        }
        for group in groups
    ]


def is_flat(cycles: Sequence[dict[str, float]]) -> bool:
    """Whether the last cycle holds no more than the first one after the warm-up."""
    first, last = cycles[WARM_UP], cycles[-1]
    return (
        last["resident_mib"] <= first["resident_mib"] + _ROOM_MIB
        and last["threads"] <= first["threads"]
        and last["files"] <= first["files"] + 1
    )


class _Service:
    """The service, loaded and watched."""

    def __init__(self, sink: Sink) -> None:
        self.port = free_port()
        peer = PEERS[KIT]
        self.process: subprocess.Popen[bytes] = spawn(
            [venvs.python(peer), "-m", "benchmarks.inside.soaking", str(self.port)],
            cores=SERVER,
            env=environment(peer, sink.ports),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_for_port(self.port, self.process)
        self.samples: list[Sample] = []
        self.cycle = 0
        self._begin = time.monotonic()
        self._watching = threading.Event()

    def ask(self, path: str) -> dict[str, int]:
        """The answer to one request; empty where it is an error, as it must be of /fail."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
                found: dict[str, int] = json.loads(answer.read())
                return found
        except urllib.error.HTTPError:
            return {}
        except TimeoutError:
            raise RuntimeError(f"the service hangs: no answer to {path}") from None

    def drive(self, seconds: float) -> Any:
        """Load at `_RATE` requests a second."""
        command = [sys.executable, "-m", "benchmarks.load", "http", str(self.port), str(seconds), str(_RATE)]
        return run_json(command, cores=DRIVER, timeout=seconds + 60)

    def watch(self) -> None:
        """Sample it each half second, until `end`."""
        pid = self.process.pid
        while not self._watching.wait(0.5):
            self.samples.append(
                Sample(
                    at=time.monotonic() - self._begin,
                    cycle=self.cycle,
                    resident_mib=resident_bytes(pid) / 2**20,
                    threads=len(list(Path(f"/proc/{pid}/task").iterdir())),
                    files=len(list(Path(f"/proc/{pid}/fd").iterdir())),
                )
            )

    def end(self) -> None:
        """Stop watching, and the service with the children that it may have left."""
        self._watching.set()
        stop(self.process)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


def soak(minutes: float) -> Soak:
    """Run all cycles in about so many minutes."""
    seconds = minutes * 60 / (CYCLES * len(CYCLE))
    p99: dict[str, list[float]] = {mode: [] for mode in CYCLE}
    requests = 0
    with Sink() as sink:
        service = _Service(sink)
        watcher = threading.Thread(target=service.watch, daemon=True)
        watcher.start()
        try:
            for service.cycle in range(CYCLES):
                for mode in CYCLE:
                    sink.mode(mode)
                    service.ask("/fork" if mode == "up" else "/fail")
                    load = service.drive(seconds)
                    p99[mode].append(load["p99_ms"])
                    requests += load["requests"]
                log(f"cycle {service.cycle + 1} of {CYCLES}: {summary(service.samples)[-1]}")
            sink.mode("up")
            samples = list(service.samples)
            counts = _settled(service, sink)
        finally:
            service.end()
            watcher.join()
    cycles = summary(samples)
    return Soak(
        date=today(),
        machine=machine(),
        minutes=minutes,
        requests=requests,
        p99_ms={mode: round(statistics.median(values), 2) for mode, values in p99.items()},
        cycles=cycles,
        mib_per_hour=round(slope([s for s in samples if s.cycle >= WARM_UP]), 2),
        flat=is_flat(cycles),
        counts=counts,
        counted=counts["spans_arrived"] + counts["spans_dropped"] == counts["spans_made"]
        and counts["logs_arrived"] + counts["logs_dropped"] >= counts["logs_made"],
    )


def _settled(service: _Service, sink: Sink) -> dict[str, int]:
    """The counts, once all that waited has arrived."""
    deadline = time.monotonic() + _SETTLE
    while True:
        told, arrived = service.ask("/healthz"), sink.counts()
        counts = {**told, "spans_arrived": arrived.get("spans", 0), "logs_arrived": arrived.get("logs", 0)}
        done = counts["spans_arrived"] + counts["spans_dropped"] >= counts["spans_made"]
        if done or time.monotonic() > deadline:
            return counts
        time.sleep(1)


def main() -> int:
    """1 where something grows, or is lost without a word."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--out", type=Path, default=SOAK)
    options = parser.parse_args()
    venvs.make([PEERS[KIT]])
    result = soak(options.minutes)
    text = json.dumps(asdict(result), indent=1) + "\n"
    options.out.write_text(text)
    sys.stdout.write(text)
    return 0 if result.flat and result.counted else 1


if __name__ == "__main__":
    sys.exit(main())

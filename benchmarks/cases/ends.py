"""The beginning of a process and its end."""

from __future__ import annotations

import http.client
import math
import resource
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from benchmarks.cases.run import Measured, Run, log
from benchmarks.cases.services import serving
from benchmarks.peers import Peer, environment
from benchmarks.processes import DRIVER, RESULT, SERVER, interleaved, spawn, stop
from benchmarks.sink import Sink
from benchmarks.venvs import python

__all__ = ["ending", "sigterm", "startup"]

_REQUESTS: Final = 20
_LONGEST: Final = 90.0


def startup(run: Run) -> Iterator[Measured]:
    """A process that imports the peer, sets it up and ends at once; the first round only fills caches."""
    with Sink() as sink:
        for number, peer in enumerate(interleaved(run.peers, run.repeats + 1)):
            env = environment(peer, sink.ports)
            begin, cpu = time.perf_counter(), _children()
            process = spawn([python(peer), "-m", "benchmarks.inside.startup"], cores=SERVER, env=env)
            process.wait(_LONGEST)
            figures = {"ms": 1e3 * (time.perf_counter() - begin), "cpu_ms": 1e3 * (_children() - cpu)}
            if number >= len(run.peers):
                yield peer.name, None if process.returncode else figures


def _children() -> float:
    """Seconds of CPU of all children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def ending(run: Run) -> Iterator[Measured]:
    """Seconds that a process takes to end: collector up, refusing, silent. They wait, so all at once."""
    with Sink() as up, Sink() as silent, Sink() as away, ThreadPoolExecutor(8) as pool:
        silent.mode("silent")
        away.mode("away")
        sinks = {"up_s": up, "refused_s": away, "silent_s": silent}
        for _ in range(run.repeats):
            futures = {
                (peer.name, name): pool.submit(_end, peer, sink)
                for peer in run.peers
                for name, sink in sinks.items()
            }
            for peer in run.peers:
                figures = {name: futures[peer.name, name].result() for name in sinks}
                yield peer.name, None if any(map(math.isnan, figures.values())) else figures


def _end(peer: Peer, sink: Sink) -> float:
    process = spawn(
        [python(peer), "-m", "benchmarks.inside.ending"],
        cores=SERVER | DRIVER,
        env=environment(peer, sink.ports),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    marks = (float(line[len(RESULT) :]) for line in process.stdout if line.startswith(RESULT.encode()))
    begin = next(marks, math.nan)  # not a number where it failed before
    try:
        process.communicate(timeout=_LONGEST)
    except subprocess.TimeoutExpired:
        stop(process, patience=0)
    return time.monotonic() - begin


def sigterm(run: Run) -> Iterator[Measured]:
    """Of 20 requests before SIGTERM, how much arrived."""
    with Sink() as sink:
        for peer in interleaved(run.peers, run.repeats):
            sink.reset()
            try:
                with serving(peer, sink, "http", []) as (server, port):
                    _ask(port)
                    server.send_signal(signal.SIGTERM)
                    server.wait(_LONGEST)
            except (RuntimeError, subprocess.TimeoutExpired) as error:
                log(peer.name, error)
                yield peer.name, None
                continue
            time.sleep(0.2)
            counts = sink.counts()
            yield (
                peer.name,
                {"spans": counts.get("spans", 0) + counts.get("traces", 0), "logs": counts.get("logs", 0)},
            )


def _ask(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for number in range(_REQUESTS):
        connection.request("GET", f"/items/{number}")
        connection.getresponse().read()
    connection.close()

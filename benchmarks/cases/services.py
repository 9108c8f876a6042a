"""Servers under load: CPU of a request, latency at a fixed rate, and whether all of it was delivered."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from benchmarks.cases.run import Measured, Run, log
from benchmarks.peers import Peer, environment
from benchmarks.processes import (
    DRIVER,
    SERVER,
    cpu_seconds,
    free_port,
    interleaved,
    resident_bytes,
    run_json,
    spawn,
    stop,
    wait_for_port,
)
from benchmarks.sink import Sink
from benchmarks.venvs import python

__all__ = ["fastapi", "fastapi_routes", "grpc", "serving"]

_RATE: Final = 400
_WARM_UP: Final = 0.7


def fastapi(run: Run) -> Iterator[Measured]:
    """A FastAPI request with one log line; latency at 400 requests a second as well."""
    return _measure(run, "http", [])


def fastapi_routes(run: Run) -> Iterator[Measured]:
    """The same behind 100 other routes."""
    return _measure(run, "http", ["100"], paced=False)


def grpc(run: Run) -> Iterator[Measured]:
    """A unary call of grpc.aio with one log line."""
    return _measure(run, "grpc", [], paced=False)


@contextlib.contextmanager
def serving(
    peer: Peer, sink: Sink, kind: str, arguments: list[str], env: Mapping[str, str] | None = None
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The service of a peer on the server's core, and its port."""
    port = free_port()
    module = "benchmarks.inside.web" if kind == "http" else "benchmarks.inside.rpc"
    server = spawn(
        [python(peer), "-m", module, str(port), *arguments],
        cores=SERVER,
        env=environment(peer, sink.ports, env),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for_port(port, server)
        yield server, port
    finally:
        stop(server)


def _measure(run: Run, kind: str, arguments: list[str], *, paced: bool = True) -> Iterator[Measured]:
    with Sink() as sink:
        for peer in interleaved(run.peers, run.repeats):
            sink.reset()
            try:
                with serving(peer, sink, kind, arguments) as (server, port):
                    yield peer.name, _load(peer, sink, kind, server.pid, port, run.seconds, paced=paced)
            except RuntimeError as error:
                log(peer.name, error)
                yield peer.name, None


def _load(
    peer: Peer, sink: Sink, kind: str, pid: int, port: int, seconds: float, *, paced: bool
) -> dict[str, float]:
    requests = _drive(kind, port, _WARM_UP)["requests"]
    before = cpu_seconds(pid)
    load = _drive(kind, port, seconds)
    figures = {
        "cpu_us": 1e6 * (cpu_seconds(pid) - before) / load["requests"],
        "per_second": load["requests"] / load["seconds"],
        "resident_mib": resident_bytes(pid) / 2**20,
    }
    requests += load["requests"]
    if paced:
        calm = _drive(kind, port, seconds, _RATE)
        figures |= {"p50_ms": calm["p50_ms"], "p99_ms": calm["p99_ms"]}
        requests += calm["requests"]
    return figures | _delivered(peer, sink, pid, requests)


def _drive(kind: str, port: int, seconds: float, rate: float | None = None) -> Any:
    command = [sys.executable, "-m", "benchmarks.load", kind, str(port), str(seconds)]
    return run_json([*command, *([str(rate)] if rate else [])], cores=DRIVER)


def _delivered(peer: Peer, sink: Sink, pid: int, requests: float) -> dict[str, float]:
    """Of the items that each request must give, the share that arrived once the peer was told to flush."""
    signal_sent = time.monotonic()
    os.kill(pid, signal.SIGUSR1)
    while True:
        counts = sink.counts()
        shares = {kind: counts.get(kind, 0) / (requests * each) for kind, each in peer.delivers.items()}
        if all(share >= 1 for share in shares.values()) or time.monotonic() - signal_sent > 8:
            break
        time.sleep(0.1)
    return {f"{kind}_delivered": share for kind, share in shares.items()}

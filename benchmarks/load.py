"""Sends requests to a server from a process of its own: as quickly as it answers, or at a fixed rate.

``python -m benchmarks.load http|grpc PORT SECONDS [RATE]`` prints one JSON object. Bare sockets and epoll, so
that it is much quicker than any server it drives. At a fixed rate the latency counts from when a request was
due, so a server that stalls is seen to stall (https://www.hdrhistogram.org on coordinated omission).
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

from benchmarks.processes import RESULT
from benchmarks.protocols import Grpc, Http, Protocol

__all__ = ["Load", "drive", "percentile"]

_CONNECTIONS: Final = {"http": 16, "grpc": 8}
_AT_ONCE: Final = {"http": 1, "grpc": 2}  # requests on one connection, in a closed loop


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one run did; latencies in milliseconds."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of `values` lie, by the nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class _Connection:
    """A socket, its protocol, and when the requests that wait for an answer were due."""

    def __init__(self, kind: str, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.protocol: Protocol = Http() if kind == "http" else Grpc()
        self.waiting: deque[float] = deque()
        self.socket.sendall(self.protocol.hello())

    def send(self, due: float) -> None:
        self.waiting.append(due)
        self.socket.sendall(self.protocol.request())

    def receive(self, latencies: list[float]) -> int:
        """How many answers came; their latencies are added."""
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("the server closed a connection")
        answers, reply = self.protocol.receive(data)
        if reply:
            self.socket.sendall(reply)
        now = time.perf_counter()
        for _ in range(answers):
            latencies.append(now - self.waiting.popleft())
        return answers


def drive(kind: str, port: int, seconds: float, rate: float | None) -> Load:
    """Load 127.0.0.1:`port` for `seconds`; at `rate` requests a second, or as quickly as it answers.

    Raises:
        OSError: the server refused or closed a connection.
        ValueError: it gave another answer than the right one.
    """
    connections = [_Connection(kind, port) for _ in range(_CONNECTIONS[kind])]
    poll = select.epoll()
    by_file = {connection.socket.fileno(): connection for connection in connections}
    for number in by_file:
        poll.register(number, select.EPOLLIN)
    latencies: list[float] = []
    begin = time.perf_counter()
    if rate is None:
        _closed(connections, by_file, poll, _AT_ONCE[kind], begin + seconds, latencies)
    else:
        _paced(connections, by_file, poll, rate, begin, seconds, latencies)
    took = time.perf_counter() - begin
    for connection in connections:
        connection.socket.close()
    return Load(
        requests=len(latencies),
        seconds=took,
        p50_ms=1e3 * percentile(latencies, 0.5),
        p99_ms=1e3 * percentile(latencies, 0.99),
    )


def _closed(
    connections: Sequence[_Connection],
    by_file: dict[int, _Connection],
    poll: select.epoll,
    at_once: int,
    end: float,
    latencies: list[float],
) -> None:
    """Each answer is followed by the next request on its connection."""
    for connection in connections:
        for _ in range(at_once):
            connection.send(time.perf_counter())
    waiting = at_once * len(connections)
    while waiting:
        for number, _ in poll.poll(10):
            connection = by_file[number]
            answers = connection.receive(latencies)
            now = time.perf_counter()
            if now < end:
                for _ in range(answers):
                    connection.send(now)
            else:
                waiting -= answers


def _paced(
    connections: Sequence[_Connection],
    by_file: dict[int, _Connection],
    poll: select.epoll,
    rate: float,
    begin: float,
    seconds: float,
    latencies: list[float],
) -> None:
    """Requests are sent when they are due, on an idle connection; else as soon as one is idle."""
    idle = deque(connections)
    total = int(rate * seconds)
    sent = 0
    while len(latencies) < total:
        now = time.perf_counter()
        while sent < total and idle and begin + sent / rate <= now:
            idle.popleft().send(begin + sent / rate)
            sent += 1
        rest = begin + sent / rate - now if sent < total and idle else 10.0
        for number, _ in poll.poll(max(0.0, rest)):
            connection = by_file[number]
            if connection.receive(latencies):
                idle.append(connection)


def main() -> None:
    """Entry point."""
    kind, port, seconds, *rate = sys.argv[1:]
    load = drive(kind, int(port), float(seconds), float(rate[0]) if rate else None)
    sys.stdout.write(f"{RESULT}{json.dumps(asdict(load))}\n")


if __name__ == "__main__":
    main()

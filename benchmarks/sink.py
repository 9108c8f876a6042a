"""Where the peers send to: a process that counts what arrives, and can be away, silent or refusing.

It takes OTLP over HTTP and the traces of Datadog's agent on its data port. On its control port it answers
lines: ``counts`` (JSON), ``reset``, and ``mode M`` with M of `MODES`.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import subprocess
import sys
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Final, final

from benchmarks.ask import ask
from benchmarks.processes import DRIVER, spawn
from benchmarks.wire import count_items

__all__ = ["MODES", "Ports", "Sink"]

#: up; nobody listens; connections are taken and never answered; each request is refused with that status.
MODES: Final = ("up", "away", "silent", "503", "429", "400")
_NAMES: Final = {"/v1/traces": "spans", "/v1/metrics": "metrics", "/v1/logs": "logs"}
_AGENT: Final = b'{"version":"7.90.0","endpoints":["/v0.4/traces"],"config":{}}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Loopback ports of a sink."""

    data: int
    control: int


@final
class Sink:
    """A sink in a process of its own, on the cores of `DRIVER`. A context manager."""

    def __init__(self) -> None:
        self._process = spawn(
            [sys.executable, "-m", "benchmarks.sink"],
            cores=DRIVER,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        self.ports: Final = Ports(**json.loads(self._process.stdout.readline()))

    def counts(self) -> dict[str, int]:
        """What arrived since the start or the last `reset`: spans, logs, metrics, traces (ddtrace's)."""
        counts: dict[str, int] = ask(self.ports.control, "counts")
        return counts

    def reset(self) -> None:
        """Count from zero."""
        ask(self.ports.control, "reset")

    def mode(self, mode: str) -> None:
        """Behave as one of `MODES` from now on."""
        ask(self.ports.control, f"mode {mode}")

    def __enter__(self) -> Sink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(10)


class _Receiver:
    """The state that all connections share."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.mode = "up"
        self.open: set[asyncio.Transport] = set()
        self.server: asyncio.Server | None = None
        self.port = 0

    async def listen(self) -> None:
        loop = asyncio.get_running_loop()
        self.server = await loop.create_server(
            lambda: _Data(self), "127.0.0.1", self.port, reuse_address=True
        )
        self.port = self.server.sockets[0].getsockname()[1]

    async def become(self, mode: str) -> None:
        self.mode = mode
        if mode == "away" and self.server is not None:
            self.server.close()
            self.server = None
            for transport in list(self.open):
                transport.abort()
        elif mode != "away" and self.server is None:
            await self.listen()

    def answer(self, path: str, headers: Mapping[bytes, bytes], body: bytes) -> tuple[bytes, bytes] | None:
        """Status line and body, or None for no answer at all."""
        if self.mode == "silent":
            return None
        if self.mode.isdigit():
            return self.mode.encode() + b" Refused\r\nretry-after: 1", b""
        if path == "/info":
            return b"200 OK", _AGENT
        if path.endswith("/traces") and path.startswith("/v0."):
            self.counts["traces"] += int(headers.get(b"x-datadog-trace-count", b"0"))
            return b"200 OK", b'{"rate_by_service":{}}'
        if path in _NAMES:
            self.counts[_NAMES[path]] += count_items(_plain(headers.get(b"content-encoding"), body))
            return b"200 OK\r\ncontent-type: application/x-protobuf", b""
        return b"200 OK", b"{}"


def _plain(encoding: bytes | None, body: bytes) -> bytes:
    if encoding == b"gzip":
        return gzip.decompress(body)
    return zlib.decompress(body) if encoding == b"deflate" else body


class _Data(asyncio.Protocol):
    """One connection that sends HTTP/1.1 requests."""

    def __init__(self, receiver: _Receiver) -> None:
        self._receiver = receiver
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._receiver.open.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._receiver.open.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._one():
            pass

    def _one(self) -> bool:
        """Answer one request; False where it has not come in full."""
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        first, *lines = bytes(self._buffer[:end]).split(b"\r\n")
        headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(b":") for line in lines)}
        if headers.get(b"transfer-encoding") == b"chunked":
            found = _chunks(self._buffer, end + 4)
        else:
            stop = end + 4 + int(headers.get(b"content-length", b"0"))
            found = (bytes(self._buffer[end + 4 : stop]), stop) if len(self._buffer) >= stop else None
        if found is None:
            return False
        body, stop = found
        del self._buffer[:stop]
        answer = self._receiver.answer(first.split(b" ")[1].decode(), headers, body)
        if answer is not None:
            status, text = answer
            self._transport.write(b"HTTP/1.1 %s\r\ncontent-length: %d\r\n\r\n%s" % (status, len(text), text))
        return True


def _chunks(buffer: bytearray, position: int) -> tuple[bytes, int] | None:
    """A chunked body that begins at `position`, and where it ends; None where it has not come in full."""
    body = bytearray()
    while (line := buffer.find(b"\r\n", position)) >= 0:
        size = int(bytes(buffer[position:line]).split(b";")[0], 16)
        position = line + 2 + size + 2
        if len(buffer) < position:
            return None
        body += buffer[line + 2 : position - 2]
        if size == 0:
            return bytes(body), position
    return None


async def _control(receiver: _Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    answer: dict[str, int] = {}
    match (await reader.readline()).decode().split():
        case ["counts"]:
            answer = dict(receiver.counts)
        case ["reset"]:
            receiver.counts.clear()
        case ["mode", mode] if mode in MODES:
            await receiver.become(mode)
        case words:
            raise ValueError(f"unknown command {words}")
    writer.write(json.dumps(answer).encode() + b"\n")
    await writer.drain()
    writer.close()


async def _serve() -> None:
    receiver = _Receiver()
    await receiver.listen()
    control = await asyncio.start_server(lambda r, w: _control(receiver, r, w), "127.0.0.1", 0)
    ports = {"data": receiver.port, "control": control.sockets[0].getsockname()[1]}
    sys.stdout.write(json.dumps(ports) + "\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # ends with its owner


if __name__ == "__main__":
    asyncio.run(_serve())

"""As much of HTTP/1.1 and of gRPC over HTTP/2 as it takes to send one request again and again.

Frames: https://www.rfc-editor.org/rfc/rfc9113, headers: https://www.rfc-editor.org/rfc/rfc7541, messages:
https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from typing import Protocol as Interface

__all__ = ["Grpc", "Http", "Protocol"]


class Protocol(Interface):
    """What one connection says."""

    def hello(self) -> bytes:
        """Sent once, at first."""

    def request(self) -> bytes:
        """One more request."""

    def receive(self, data: bytes) -> tuple[int, bytes]:
        """How many answers `data` completes, and what must be sent back at once.

        Raises:
            ValueError: an answer is not the right one.
        """


def _traceparents() -> Iterator[str]:
    """Of sampled parents in traces that never repeat, as they come from callers who trace too."""
    number = random.getrandbits(120)
    while True:
        number += 1
        yield f"00-{number:032x}-b7ad6b7169203331-01"


class Http:
    """GET /items/N over HTTP/1.1, kept alive; the answers are 200 with a content-length."""

    def __init__(self) -> None:
        self._buffer = b""
        self._number = 0
        self._parents = _traceparents()

    def hello(self) -> bytes:
        """Nothing."""
        return b""

    def request(self) -> bytes:
        """The next of 1,000 different paths."""
        self._number = (self._number + 1) % 1000
        head = f"GET /items/{self._number} HTTP/1.1\r\nhost: 127.0.0.1\r\nuser-agent: bench/1.0\r\n"
        return f"{head}traceparent: {next(self._parents)}\r\n\r\n".encode()

    def receive(self, data: bytes) -> tuple[int, bytes]:
        """See `Protocol`."""
        self._buffer += data
        answers = 0
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            if not head.startswith(b"http/1.1 200"):
                raise ValueError(self._buffer[:200])
            _, _, rest = head.partition(b"content-length:")
            stop = end + 4 + int(rest.split(b"\r\n", 1)[0])
            if len(self._buffer) < stop:
                break
            self._buffer = self._buffer[stop:]
            answers += 1
        return answers, b""


_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _PING, _GOAWAY, _WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
_END_STREAM, _ACK, _END_HEADERS = 0x1, 0x1, 0x4


class Grpc:
    """The unary call /bench.Echo/Unary; an answer is a message, and then trailers."""

    def __init__(self) -> None:
        self._buffer = b""
        self._stream = -1
        self._answered: set[int] = set()
        text = b"hello world"
        message = b"\x0a" + bytes([len(text)]) + text  # a StringValue
        self._body = b"\x00" + struct.pack(">I", len(message)) + message
        self._head = b"".join(
            _literal(name, value)
            for name, value in (
                (":method", "POST"),
                (":scheme", "http"),
                (":path", "/bench.Echo/Unary"),
                (":authority", "127.0.0.1"),
                ("te", "trailers"),
                ("content-type", "application/grpc"),
                ("user-agent", "bench/1.0"),
            )
        )
        self._parents = _traceparents()

    def hello(self) -> bytes:
        """The preface, and a window that is never used up."""
        window = _frame(_WINDOW_UPDATE, 0, 0, struct.pack(">I", 2**31 - 1 - 65535))
        return b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(_SETTINGS, 0, 0, b"") + window

    def request(self) -> bytes:
        """A call in a stream of its own."""
        self._stream += 2
        fields = self._head + _literal("traceparent", next(self._parents))
        head = _frame(_HEADERS, _END_HEADERS, self._stream, fields)
        return head + _frame(_DATA, _END_STREAM, self._stream, self._body)

    def receive(self, data: bytes) -> tuple[int, bytes]:
        """See `Protocol`."""
        self._buffer += data
        answers, reply, position = 0, b"", 0
        while len(self._buffer) - position >= 9:
            size = int.from_bytes(self._buffer[position : position + 3], "big")
            if len(self._buffer) - position < 9 + size:
                break
            kind, flags, stream = struct.unpack_from(">BBI", self._buffer, position + 3)
            payload = self._buffer[position + 9 : position + 9 + size]
            position += 9 + size
            if kind == _DATA and size:
                self._answered.add(stream)
            elif kind == _HEADERS and flags & _END_STREAM:
                if stream not in self._answered:
                    raise ValueError(f"a call ended without a message: {payload!r}")
                self._answered.remove(stream)
                answers += 1
            elif kind in (_PING, _SETTINGS) and not flags & _ACK:
                reply += _frame(kind, _ACK, 0, payload if kind == _PING else b"")
            elif kind in (_RST_STREAM, _GOAWAY):
                raise ValueError(f"the server gave up: {payload!r}")
        self._buffer = self._buffer[position:]
        return answers, reply


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + struct.pack(">BBI", kind, flags, stream) + payload


def _literal(name: str, value: str) -> bytes:
    """A header as a literal that is not indexed, without Huffman's code; names and values below 127 bytes."""
    return b"\x00" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()

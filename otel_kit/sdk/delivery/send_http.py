"""OTLP over HTTP with the standard library: one kept connection, no client that could log or trace itself.

Retry rules: https://opentelemetry.io/docs/specs/otlp/#otlphttp-response. Proxy variables are not read: the
collector is inside the cluster.
"""

from __future__ import annotations

import gzip
import http.client
import io
import socket
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from otel_kit.sdk.delivery.connect import connected
from otel_kit.sdk.delivery.outbox import NO_ANSWER, Outcome

if TYPE_CHECKING:
    import ssl

__all__ = ["HttpSender"]

_RETRYABLE: Final = frozenset({429, 502, 503, 504})
#: The longest answer that is read; an OTLP answer has a few bytes.
_MAX_ANSWER: Final = 64 * 1024
#: A host that does not even answer a SYN is found out sooner than a slow answer.
_CONNECT_TIMEOUT: Final = 3.0
_INSTANT: Final = 0.001
#: A body up to this size is read in one go, so a connection that breaks says nothing about it.
_SHORT: Final = 64 * 1024


class HttpSender:
    """POSTs protobuf requests to one URL.

    Args:
        url: the full URL of the signal, e.g. ``http://localhost:4318/v1/traces``.
        headers: added to each request; never logged.
        compress: gzip the body.
        tls: for ``https`` URLs.
        rejected: reads from an answer's body how many items were not taken, and why.
    """

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str],
        compress: bool,
        tls: ssl.SSLContext | None,
        rejected: Callable[[bytes], tuple[int, str]],
    ) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or "localhost"
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        self._tls = tls
        self._rejected = rejected
        self._compress = compress
        self._headers = {"content-type": "application/x-protobuf", "user-agent": "otel-kit", **headers}
        if compress:
            self._headers["content-encoding"] = "gzip"
        self._connection: http.client.HTTPConnection | None = None
        self._wire: _Wire

    def reset(self) -> None:
        """Forget the connection of the parent process, whose socket it is."""
        self._connection = None

    def send(self, body: bytes, timeout: float) -> Outcome:
        """One POST; a connection that the server closed while idle is replaced once, at once."""
        data = gzip.compress(body, 1) if self._compress else body
        deadline = time.monotonic() + timeout
        kept = self._connection is not None
        try:
            try:
                return self._post(data, deadline)
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                if not kept:
                    raise
                self._close()
                return self._post(data, deadline)
        except (OSError, http.client.HTTPException) as error:
            self._close()
            return Outcome(
                verdict="retry",
                why=type(error).__name__,
                unreachable=isinstance(error, ConnectionRefusedError | socket.gaierror),
                cut=len(data) > _SHORT and _broken(error),
            )

    def _post(self, data: bytes, deadline: float) -> Outcome:
        connection = self._connect(deadline)
        cut: OSError | None = None
        try:
            connection.request("POST", self._path, data, self._headers)
        except (ConnectionResetError, BrokenPipeError) as error:
            cut = error  # the server may have said why: 413, say
        try:
            answer = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise cut or error from None
        text = answer.read(_MAX_ANSWER)
        if cut is not None or answer.will_close or not answer.isclosed():
            self._close()
        return self._read(answer, text)

    def _read(self, answer: http.client.HTTPResponse, text: bytes) -> Outcome:
        if 200 <= answer.status < 300:
            kind = answer.headers.get_content_type() if "content-type" in answer.headers else ""
            if kind == "text/html":
                return Outcome(verdict="refused", why=NO_ANSWER)  # of a proxy, its login page, say
            if kind == "text/plain" and text:  # taken, as far as anybody can tell
                return Outcome(verdict="delivered", why=NO_ANSWER)
            items, why = self._rejected(text)
            return Outcome(verdict="delivered", rejected=items, why=why)
        if answer.status in _RETRYABLE:
            return Outcome(
                verdict="retry",
                why=str(answer.status),
                retry_after=_seconds(answer.headers.get("retry-after")),
            )
        return Outcome(verdict="refused", why=str(answer.status))

    def _connect(self, deadline: float) -> http.client.HTTPConnection:
        connection = self._connection
        if connection is None:
            first = max(_INSTANT, min(deadline - time.monotonic(), _CONNECT_TIMEOUT))
            wire = connected(self._host, self._port, first)
            if self._tls is None:
                connection = http.client.HTTPConnection(self._host, self._port)
            else:
                with wire:  # closes it where the handshake fails
                    wire = self._tls.wrap_socket(wire, server_hostname=self._host)
                connection = http.client.HTTPSConnection(self._host, self._port, context=self._tls)
            self._wire = _Wire(wire)
            connection.sock = self._wire
            self._connection = connection
        self._wire.until(deadline)
        return connection

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _broken(error: Exception) -> bool:
    # ssl is not imported where it is not used.
    return isinstance(error, ConnectionResetError | BrokenPipeError) or type(error).__name__ == "SSLEOFError"


class _Wire:
    """As much of a socket as http.client uses; all that is sent and received shares one deadline.

    The timeout of a socket begins anew with each byte, so a slow answer could take forever.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._deadline = 0.0

    def until(self, deadline: float) -> None:
        """Set the deadline, by `time.monotonic()`."""
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        """Send all of it."""
        self._limit()
        self._sock.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        """What is received; stays open when the socket is closed, as http.client expects it."""
        del mode
        return io.BufferedReader(_Reads(self._sock.makefile("rb", buffering=0), self._limit))

    def close(self) -> None:
        """Close it."""
        self._sock.close()

    def _limit(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)


class _Reads(io.RawIOBase):
    def __init__(self, raw: io.RawIOBase, limit: Callable[[], None]) -> None:
        self._raw = raw
        self._limit = limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._limit()
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


def _seconds(value: str | None) -> float | None:
    """``Retry-After`` in seconds; its date form is rare and treated as absent."""
    return float(value) if value and value.isascii() and value.isdigit() else None

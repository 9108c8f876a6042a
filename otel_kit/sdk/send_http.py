"""OTLP over HTTP with the standard library: one kept connection, no client that could log or trace itself.

Retry rules: https://opentelemetry.io/docs/specs/otlp/#otlphttp-response. Proxy variables are not read: the
collector is inside the cluster.
"""

from __future__ import annotations

import gzip
import http.client
import socket
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from otel_kit.sdk.outbox import Outcome

if TYPE_CHECKING:
    import ssl

__all__ = ["HttpSender"]

_RETRYABLE: Final = frozenset({429, 502, 503, 504})
#: The longest answer that is read; an OTLP answer has a few bytes.
_MAX_ANSWER: Final = 64 * 1024
#: A host that does not even answer a SYN is found out sooner than a slow answer.
_CONNECT_TIMEOUT: Final = 3.0


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
        self._port = parts.port
        self._path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        self._secure = parts.scheme == "https"
        self._tls = tls
        self._rejected = rejected
        self._compress = compress
        self._headers = {"content-type": "application/x-protobuf", "user-agent": "otel-kit", **headers}
        if compress:
            self._headers["content-encoding"] = "gzip"
        self._connection: http.client.HTTPConnection | None = None

    def reset(self) -> None:
        """Forget the connection of the parent process, whose socket it is."""
        self._connection = None

    def send(self, body: bytes, timeout: float) -> Outcome:
        """One POST; a connection that the server closed while idle is replaced once, at once."""
        data = gzip.compress(body, 1) if self._compress else body
        kept = self._connection is not None
        try:
            try:
                return self._post(data, timeout)
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                if not kept:
                    raise
                self._close()
                return self._post(data, timeout)
        except (OSError, http.client.HTTPException) as error:
            self._close()
            unreachable = isinstance(error, ConnectionRefusedError | socket.gaierror)
            return Outcome(verdict="retry", why=type(error).__name__, unreachable=unreachable)

    def _post(self, data: bytes, timeout: float) -> Outcome:
        connection = self._connect(timeout)
        connection.request("POST", self._path, data, self._headers)
        answer = connection.getresponse()
        text = answer.read(_MAX_ANSWER)
        if answer.will_close or not answer.isclosed():
            self._close()
        if 200 <= answer.status < 300:
            items, why = self._rejected(text)
            return Outcome(verdict="delivered", rejected=items, why=why)
        if answer.status in _RETRYABLE:
            return Outcome(
                verdict="retry",
                why=str(answer.status),
                retry_after=_seconds(answer.headers.get("retry-after")),
            )
        return Outcome(verdict="refused", why=str(answer.status))

    def _connect(self, timeout: float) -> http.client.HTTPConnection:
        connection = self._connection
        if connection is None:
            first = min(timeout, _CONNECT_TIMEOUT)
            if self._secure:
                connection = http.client.HTTPSConnection(
                    self._host, self._port, timeout=first, context=self._tls
                )
            else:
                connection = http.client.HTTPConnection(self._host, self._port, timeout=first)
            connection.connect()
            self._connection = connection
        if connection.sock is not None:
            connection.sock.settimeout(timeout)
        return connection

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _seconds(value: str | None) -> float | None:
    """``Retry-After`` in seconds; its date form is rare and treated as absent."""
    return float(value) if value and value.isascii() and value.isdigit() else None

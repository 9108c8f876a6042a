"""One WebSocket: its handshake is a request, after which it may be open for days.

The method of the handshake is GET, by RFC 6455; 101 is its answer. The span ends with the socket.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from opentelemetry.trace import StatusCode

from otel_kit.sdk.http.request import Request

if TYPE_CHECKING:
    from otel_kit.sdk.http.types import Message

__all__ = ["Socket"]

#: What a server closes with when it has failed, by RFC 6455.
_INTERNAL_ERROR: Final = 1011


class Socket(Request):
    """A WebSocket that is being recorded."""

    _scheme = "ws"
    _accepted_at = 0.0
    _open: list[None] | None = None
    #: By whichever side closed first.
    _code: int | None = None
    _failed = False

    def _hear(self, kind: str, message: Message) -> None:
        if kind == "websocket.disconnect":
            self._disconnected = True
            self._closed(message.get("code") or 1005)

    def _look_at(self, kind: str, message: Message) -> bool:
        if kind == "websocket.accept":
            self._accept()
        elif kind == "websocket.close":
            if self._status is None:
                self._status = 403  # what a server answers to a handshake that was not accepted
            else:
                code = message.get("code") or 1000
                self._failed = code == _INTERNAL_ERROR
                self._closed(code)
            return True
        elif kind == "websocket.http.response.start":
            self._status = int(message["status"])
        elif kind == "websocket.http.response.body":
            return not message.get("more_body")
        return False

    def _accept(self) -> None:
        """The request is answered; the socket is open."""
        self._status = 101
        self._accepted_at = time.perf_counter()
        self._no_longer_active()
        if self._left_out:
            return
        said = self._said(None)
        self.telemetry.instruments.duration.record(
            self._accepted_at - self._begin, said.of_metrics, self._context
        )
        attributes = {"url.scheme": str(said.of_metrics["url.scheme"])}
        if self.route is not None:
            attributes["http.route"] = self.route
        self._open = self.telemetry.instruments.sockets.open.of(attributes)
        self._open.append(None)

    def _closed(self, code: int) -> None:
        if self._code is None:
            self._code = code
            if self._accepted_at:
                self.span.set_attribute("websocket.close.code", code)
        self._no_longer_active()

    def _no_longer_active(self) -> None:
        super()._no_longer_active()
        entries, self._open = self._open, None
        if entries:  # a child process forgets those of its parent
            entries.pop()

    def _measure(self, took: float, attributes: dict[str, str | int]) -> None:
        if not self._accepted_at:
            self.telemetry.instruments.duration.record(took, attributes, self._context)
            return
        was_open = took - (self._accepted_at - self._begin)
        self.telemetry.instruments.sockets.duration.record(was_open, attributes, self._context)

    def _conclude(self) -> str | None:
        error = super()._conclude()
        if error is None and self._failed:
            self.span.set_status(StatusCode.ERROR)
            return str(_INTERNAL_ERROR)
        return error

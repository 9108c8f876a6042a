"""WebSockets of real servers: the handshake is a request, and the socket is counted while it is open."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    CloseConnection,
    Event,
    RejectConnection,
    Request,
    TextMessage,
)

from otel_kit.conventions import HTTP_SERVER_DURATION
from tests.sdk.run import UVICORN, web
from tests.sdk.sink import running_sink

SERVERS = {
    "uvicorn": (*UVICORN, "--ws", "wsproto"),
    "hypercorn": ("-m", "hypercorn", "tests.sdk.apps.web:app", "--graceful-timeout", "1"),
}
OPEN, DURATION = "websocket.server.open_connections", "websocket.server.connection.duration"


class Client:
    """One end of a WebSocket."""

    def __init__(self, url: str, room: str) -> None:
        self._protocol = WSConnection(ConnectionType.CLIENT)
        address = urlsplit(url)
        self._socket = socket.create_connection((address.hostname or "", address.port or 0), timeout=20)
        self.send(Request(host="shop.test", target=f"/ws/{room}"))
        self._events = self._read()

    def send(self, event: Event) -> None:
        """Send it."""
        self._socket.sendall(self._protocol.send(event))

    def next(self) -> Event | None:
        """What the server sends; None at the end of the connection."""
        return next(self._events, None)

    def close(self) -> None:
        """Leave without a word."""
        self._socket.close()

    def _read(self) -> Iterator[Event]:
        while received := self._received():
            self._protocol.receive_data(received)
            yield from self._protocol.events()

    def _received(self) -> bytes:
        with contextlib.suppress(ConnectionError):
            return self._socket.recv(65536)
        return b""


def converse(url: str) -> None:
    """One socket for each way to end."""
    for room in ("refuses", "fails"):
        assert isinstance(Client(url, room).next(), RejectConnection)
    for room in ("breaks", "gives-up"):
        client = Client(url, room)
        assert isinstance(client.next(), AcceptConnection)
        assert isinstance(client.next(), CloseConnection | None)  # some just drop the connection
    polite, rude = Client(url, "polite"), Client(url, "rude")
    for client in (polite, rude):
        assert isinstance(client.next(), AcceptConnection)
        client.send(TextMessage("hello"))
        assert isinstance(client.next(), TextMessage)
    polite.send(CloseConnection(code=1000))
    assert isinstance(polite.next(), CloseConnection)
    rude.close()


@pytest.mark.parametrize("server", ["uvicorn", pytest.param("hypercorn", marks=pytest.mark.slow)])
def test_each_socket_has_a_span_until_it_is_closed(server: str) -> None:
    with running_sink() as sink, web(sink, *SERVERS[server]) as (part, url):
        converse(url)
        left = Client(url, "left-open")
        assert isinstance(left.next(), AcceptConnection)
        part.terminate()
    seen = sink.seen
    spans = {str(s.attributes["url.path"]).removeprefix("/ws/"): s for s in seen.server_spans()}
    assert {s.name for s in seen.spans} == {"GET /ws/{room}"}
    outcome = {room: s.attributes.get("http.response.status_code") for room, s in spans.items()}
    opened = ("breaks", "gives-up", "polite", "rude", "left-open")
    assert outcome == {"refuses": 403, "fails": 500, **dict.fromkeys(opened, 101)}
    errors = {room: (s.status, s.attributes.get("error.type"), len(s.events)) for room, s in spans.items()}
    assert errors["fails"] == errors["breaks"] == (2, "ValueError", 1)
    assert errors["gives-up"] == (2, "1011", 0)
    assert {errors[room][0] for room in ("refuses", "polite", "rude", "left-open")} == {0}
    assert spans["gives-up"].attributes["websocket.close.code"] == 1011

    # The handshakes are requests, of which none is in progress; and each socket that was open is closed.
    assert seen.total(HTTP_SERVER_DURATION) == len(spans)
    assert seen.total(HTTP_SERVER_DURATION, http__response__status_code=101) == len(opened)
    assert seen.total(DURATION) == len(opened)
    assert seen.total(DURATION, error__type="ValueError") == 1
    for name in (OPEN, "http.server.active_requests"):
        last = {p.series: p.value for p in sorted(seen.named(name), key=lambda p: p.time)}
        assert set(last.values()) == {0}

"""Applications called within one process: WebSockets, a scope that is copied, a lifespan that is repeated."""

from __future__ import annotations

import contextlib
from typing import Any

from fastapi import FastAPI, WebSocket
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

import otel_kit

app = FastAPI()
inner = FastAPI()


@app.websocket("/ws/{room}")
async def chat(socket: WebSocket, room: str) -> None:
    """Answer once; fail or refuse where the room says so."""
    if room == "private":
        await socket.close()
        return
    await socket.accept()
    await socket.send_text(room)
    await socket.receive_text()
    if room == "broken":
        raise ValueError("broken")
    await socket.receive_text()


@inner.get("/{name}")
async def copied(name: str) -> str:
    """Reached through something that copies the scope."""
    return name


@app.get("/dies")
async def dies() -> None:
    """Raise what is no Exception."""
    raise KeyboardInterrupt


async def copying(scope: Any, receive: Any, send: Any) -> None:
    """An ASGI application that passes on a copy."""
    await inner(dict(scope), receive, send)


app.mount("/copied", copying)


def main() -> None:
    """Call all of it."""
    otel_kit.init(service="inside")
    for _ in range(2):
        with TestClient(app):
            pass  # a lifespan, as each test of a service has one
    client = TestClient(app)
    with contextlib.suppress(WebSocketDisconnect), client.websocket_connect("/ws/fine") as socket:
        assert socket.receive_text() == "fine"
        socket.send_text("x")
    with contextlib.suppress(ValueError), client.websocket_connect("/ws/broken") as socket:
        assert socket.receive_text() == "broken"
        socket.send_text("x")
        socket.receive_text()
    with contextlib.suppress(WebSocketDisconnect), client.websocket_connect("/ws/private"):
        pass
    assert client.get("/copied/thing").json() == "thing"
    with contextlib.suppress(BaseException):
        client.get("/dies")


if __name__ == "__main__":
    main()

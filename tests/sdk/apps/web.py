"""A FastAPI service whose telemetry begins after everything is imported and made: the hardest order.

``SELF=contrib`` instruments the application with the contrib package as well.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from fastapi import APIRouter, BackgroundTasks, FastAPI, HTTPException, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse
from opentelemetry import trace
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

import otel_kit

log = logging.getLogger("shop")
app = FastAPI()
admin = FastAPI()
router = APIRouter(prefix="/v1")


@app.get("/orders/{number}")
async def order(number: int) -> dict[str, int]:
    """Log within the request, and answer."""
    log.info("order %d", number, extra={"order": number})
    return {"number": number}


@app.get("/span")
def span_id() -> str:
    """The id of the span that is current in a handler that runs in a thread, which renames it."""
    trace.get_current_span().update_name("renamed")
    return trace.format_span_id(trace.get_current_span().get_span_context().span_id)


@router.post("/carts/{cart}/items")
async def item(cart: str, tasks: BackgroundTasks) -> str:
    """Answer, and go on working."""

    async def later() -> None:
        await asyncio.sleep(0.3)
        log.info("background done")

    tasks.add_task(later)
    return cart


@app.get("/late")
async def late(tasks: BackgroundTasks) -> None:
    """Answer, and fail when nobody waits any more."""

    async def fails() -> None:
        await asyncio.sleep(0.5)
        raise TimeoutError("late")

    tasks.add_task(fails)


@admin.get("/users/{user}")
async def user(user: int) -> int:
    """In a mounted application."""
    return user


@admin.get("/broken")
async def admin_broken() -> None:
    """Fail in a mounted application."""
    raise LookupError("mounted")


@app.get("/boom")
async def boom() -> None:
    """Fail with no handler."""
    raise ValueError("boom")


@app.get("/refused/{status}")
async def refused(status: int) -> None:
    """Fail in an orderly way."""
    raise HTTPException(status)


@app.get("/stream")
async def stream(fail: bool = False) -> StreamingResponse:
    """A slow answer in pieces, that may break."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"piece"
            await asyncio.sleep(0.05)
        if fail:
            raise RuntimeError("mid-way")

    return StreamingResponse(pieces())


@app.get("/healthz")
@app.get("/healthzcare")
async def health() -> str:
    """One is a health route, the other only looks like it."""
    return "ok"


@app.websocket("/ws/{room}")
async def chat(socket: WebSocket, room: str) -> None:
    """Echo, or end in the way that the room is named after."""
    if room == "refuses":
        await socket.close()
        return
    if room == "fails":
        raise ValueError("before the handshake")
    await socket.accept()
    if room == "breaks":
        raise ValueError("after the handshake")
    if room == "gives-up":
        await socket.close(1011)
        return
    with contextlib.suppress(WebSocketDisconnect):
        while True:
            await socket.send_text(await socket.receive_text())


async def plain(request: Request) -> Response:
    """A handler of Starlette."""
    return PlainTextResponse(request.path_params["name"])


class Speechless(Exception):  # noqa: N818
    """An error whose own text is another error."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


@app.get("/speechless")
async def speechless() -> None:
    """Fail with it."""
    raise Speechless


nested = APIRouter(prefix="/shelves")


@nested.get("/{shelf}")
async def shelf(shelf: str) -> str:
    """In a router within a router."""
    return shelf


class Copying:
    """A middleware of the kind that passes on a copy of the scope."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass it on."""
        await self.app(dict(scope), receive, send)


class Passing(BaseHTTPMiddleware):
    """A middleware of the kind that runs the application in another task."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        """Pass it on."""
        return await call_next(request)


app.include_router(router)
outer = APIRouter(prefix="/stock")
outer.include_router(nested, prefix="/rooms/{room}")
app.include_router(outer, prefix="/v2")
app.mount("/admin", admin)
app.mount("/tenants/{tenant}", admin)
app.mount("/static", StaticFiles(directory=Path(__file__).parent))
app.mount("/plain", Starlette(routes=[Route("/hello/{name}", plain)]))
app.add_middleware(Passing)
app.add_middleware(Copying)

if os.environ.get("SELF") == "contrib":
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

    FastAPIInstrumentor.instrument_app(app)

otel_kit.init(service=os.environ.get("SERVICE", "web"), env="test", version="1.2.3")

if __name__ == "__main__":
    import uvicorn

    port = int(os.environ["PORT"])
    if os.environ.get("RUN") == "string":
        uvicorn.run("tests.sdk.apps.web:app", port=port)
    else:
        uvicorn.run(app, port=port)

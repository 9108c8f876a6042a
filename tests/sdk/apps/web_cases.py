"""Requests of all kinds to one application, called as a server would: each case has a name in its query."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
from fastapi import APIRouter, Depends, FastAPI, Request, WebSocket
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, StreamingResponse
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Host, Mount, Route

import otel_kit
from tests.sdk.apps.asgi import call

app = FastAPI()
inner = FastAPI()
innermost = FastAPI()
prefixed = FastAPI(root_path="/proxied")


class Teapot(Exception):  # noqa: N818
    pass


async def fail_in_group() -> None:
    raise LookupError("in a group")


class Failing:
    """A middleware of pure ASGI that fails before, or after, the application answers."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if b"asgi_before" in scope.get("query_string", b""):
            raise LookupError("before")
        if b"asgi_group" in scope.get("query_string", b""):
            async with anyio.create_task_group() as group:
                group.start_soon(fail_in_group)
        await self.app(scope, receive, send)
        if b"asgi_after" in scope.get("query_string", b""):
            raise LookupError("after")


async def dispatch(request: Request, call_next: Any) -> Any:
    if request.url.query == "case=base_before":
        raise LookupError("before")
    if request.url.query == "case=base_answers":
        return PlainTextResponse("no", 401)
    return await call_next(request)


async def slow(request: Request) -> AsyncIterator[None]:
    yield
    if request.url.query == "case=late":
        await asyncio.sleep(0.5)
        raise LookupError("late")


def dependency(request: Request) -> Iterator[None]:
    if request.url.query == "case=dependency":
        raise LookupError("dependency")
    yield
    if request.url.query == "case=dependency_exit":
        raise LookupError("exit")


async def numbers(fail: str) -> AsyncIterator[bytes]:
    for number in range(3):
        yield b"%d" % number
    if fail:
        raise LookupError("stream")


@app.exception_handler(Teapot)
async def teapot(_: Request, __: Exception) -> JSONResponse:
    return JSONResponse("teapot", 418)


@app.get("/items/{item}", dependencies=[Depends(dependency), Depends(slow)])
async def item(item: str, request: Request) -> str:
    if request.url.query == "case=handled":
        raise Teapot
    if request.url.query == "case=unhandled":
        raise LookupError("handler")
    if request.url.query == "case=cancelled":
        await asyncio.sleep(60)
    return item


@app.post("/items/{item}")
async def put(item: str, request: Request) -> tuple[str, int]:
    return item, len(await request.body())


@app.get("/stream")
async def stream(fail: str = "") -> StreamingResponse:
    return StreamingResponse(numbers(fail))


@app.websocket("/socket")
async def socket(socket: WebSocket) -> None:
    await socket.accept()
    while True:
        await socket.receive_text()


async def answers_nothing(scope: Any, receive: Any, send: Any) -> None:
    pass


@innermost.get("/leaf/{leaf}")
@inner.get("/leaf/{leaf}")
@prefixed.get("/leaf/{leaf}")
async def leaf(leaf: str) -> str:
    return leaf


refusing = FastAPI()


@refusing.exception_handler(Exception)
async def refuse(_: Request, __: Exception) -> JSONResponse:
    return JSONResponse("later", 503)


@refusing.exception_handler(Teapot)
async def broken_handler(_: Request, __: Exception) -> JSONResponse:
    raise LookupError("handler of errors")


@refusing.get("/{what}")
async def refused(what: str) -> None:
    raise Teapot if what == "teapot" else LookupError(what)


async def bare(_: Any, __: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": b"bare", "more_body": True})
    await send({"type": "http.response.body"})


class OwnRoute(Route):
    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


async def starlette_leaf(request: Request) -> PlainTextResponse:
    return PlainTextResponse(request.path_params["leaf"])


outer_router, inner_router = APIRouter(prefix="/r"), APIRouter(prefix="/{shelf}")
inner_router.add_api_route("/leaf/{leaf}", leaf)
outer_router.include_router(inner_router)
app.include_router(outer_router)
inner.mount("/deeper/{level}", innermost)
app.mount("/sub/{tenant}", inner)
app.add_middleware(BaseHTTPMiddleware, dispatch=dispatch)
app.add_middleware(Failing)
app.add_middleware(CORSMiddleware, allow_origins=["*"])
hosted = Starlette(
    routes=[
        Mount("/silent", answers_nothing),
        Mount("/bare", bare),
        Mount("/group2/{name}", routes=[OwnRoute("/leaf/{leaf}", starlette_leaf)]),
        Route("/file", lambda _: FileResponse(__file__)),
        Host("{region}.shop.test", Starlette(routes=[Route("/leaf/{leaf}", starlette_leaf)])),
        Mount("/group", routes=[Mount("/{name}", routes=[Route("/leaf/{leaf}", starlette_leaf)])]),
    ]
)


async def gone(_: dict[str, Any]) -> None:
    raise OSError("the client has gone")


async def routes() -> None:
    """Where a request may end."""
    await call(app, "/items/1", "plain")
    await call(app, "/r/a/leaf/b", "included")
    await call(app, "/sub/acme/leaf/b", "mounted")
    await call(app, "/sub/acme/deeper/2/leaf/b", "mounted_twice")
    await call(app, "/sub/acme/nowhere", "mounted_404")
    await call(app, "/nowhere", "404")
    await call(app, "/items/1", "405", method="PATCH")
    await call(app, "/items/1", "head", method="HEAD")
    await call(app, "/items/1/", "redirected")
    asking = [(b"origin", b"http://a.test"), (b"access-control-request-method", b"GET")]
    await call(app, "/items/1", "preflight", method="OPTIONS", headers=asking)
    await call(hosted, "/leaf/1", "host", headers=[(b"host", b"eu.shop.test")])
    await call(hosted, "/group/a/leaf/1", "group")
    await call(hosted, "/group2/a/leaf/1", "own_route")
    await call(prefixed, "/leaf/1", "root_path")
    await call(app, "/proxy/items/1", "root_path_of_server", root_path="/proxy")
    await call(app, "/proxy/sub/acme/leaf/1", "root_path_and_mount", root_path="/proxy")
    await call(app, "/proxy/healthz", "health", root_path="/proxy")


async def failures() -> None:
    """What may fail."""
    for case in (
        "asgi_before",
        "asgi_after",
        "asgi_group",
        "base_before",
        "base_answers",
        "dependency",
        "dependency_exit",
    ):
        await call(app, "/items/1", case)
    for case in ("handled", "unhandled"):
        await call(app, "/items/1", case)
    await call(app, "/stream", "stream")
    await call(app, "/stream", "stream_fails&fail=1")
    await call(hosted, "/silent/x", "silent")
    await call(refusing, "/x", "handled_and_raised")
    await call(refusing, "/teapot", "handler_fails")
    await call(app, "/items/1", "late")
    await call(hosted, "/file", "file", extensions={"http.response.pathsend": {}})
    await call(app, "/stream", "gone", send=gone)
    task = asyncio.create_task(call(app, "/items/1", "cancelled"))
    await asyncio.sleep(0.05)
    task.cancel()
    await task
    body = ({"type": "http.request", "body": b"12345", "more_body": False},)
    await call(app, "/items/1", "counted_body", method="POST", messages=body)
    cut = ({"type": "http.request", "body": b"1", "more_body": True}, {"type": "http.disconnect"})
    await call(app, "/items/1", "cut_body", method="POST", messages=cut)
    left = ({"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1001})
    await call(app, "/socket", "socket", type="websocket", scheme="ws", without=("method",), messages=left)


async def oddities() -> None:
    """Scopes and headers of other servers and of attackers."""
    rare = ("http_version", "scheme", "raw_path", "query_string", "root_path", "client", "server", "asgi")
    await call(hosted, "/bare/rare", "", without=(*rare, "headers"))
    await call(app, "/items/1", "lists", headers=[[b"host", b"shop.test"]], client=["::1", 0], server=None)
    await call(app, "/items/1", "http2", http_version="2", scheme="https", headers=((b"host", b"a.test"),))
    await call(app, "/items/1", "bytes", headers=[(b"host", b"\xff\xfe"), (b"user-agent", b"\x80" * 65536)])
    parents = [(b"traceparent", b"00-" + b"a" * 32 + b"-" + letter * 16 + b"-01") for letter in (b"b", b"c")]
    await call(app, "/items/1", "twice", headers=parents)
    await call(app, "/items/1", "nonsense", headers=[(b"traceparent", b"\xff" * 300), (b"baggage", b"\x00")])
    await call(app, "/items/1", "port", headers=[(b"host", b"shop.test:" + b"9" * 5000)])
    await call(app, "/items/1", "method", method="X" * 5000)
    await call(app, "/items/1", "scheme", scheme="made-up")


async def main() -> None:
    """All of it."""
    otel_kit.init(service="cases", logs="none")
    await routes()
    await failures()
    await oddities()


if __name__ == "__main__":
    asyncio.run(main())

"""What `faults` serves: by FastAPI, by grpc and by grpc.aio."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import fastapi
import grpc
from fastapi.responses import StreamingResponse

app = fastapi.FastAPI()
log = logging.getLogger("faults")


@app.get("/items/{number}")
async def item(number: int) -> dict[str, int]:
    """Answer, and log."""
    log.info("item %d", number)
    return {"number": number}


@app.get("/sync")
def sync_item() -> str:
    """Answer from a thread."""
    return "sync"


@app.get("/boom")
async def boom() -> None:
    """Fail."""
    raise ValueError("boom")


@app.get("/stream")
async def stream() -> StreamingResponse:
    """Answer in pieces."""

    async def pieces() -> Any:
        for piece in (b"a", b"b"):
            yield piece
            await asyncio.sleep(0)

    return StreamingResponse(pieces())


def reply(request: bytes, context: Any) -> bytes:
    """Unary, sync."""
    if request == b"crash":
        raise ValueError("broken")
    if request == b"abort":
        context.abort(grpc.StatusCode.NOT_FOUND, "none")
    return request


def replies(request: bytes, context: Any) -> Any:
    """A stream, sync."""
    yield reply(request, context)
    yield b"end"


async def aio_reply(request: bytes, context: Any) -> bytes:
    """Unary, aio."""
    if request == b"abort":
        await context.abort(grpc.StatusCode.NOT_FOUND, "none")
    return reply(request, context)


async def aio_replies(request: bytes, context: Any) -> Any:
    """A stream, aio."""
    yield await aio_reply(request, context)
    yield b"end"


def handlers(one: Any, many: Any) -> Any:
    """Both methods."""
    methods = {
        "One": grpc.unary_unary_rpc_method_handler(one),
        "Many": grpc.unary_stream_rpc_method_handler(many),
    }
    return grpc.method_handlers_generic_handler("shop.Stock", methods)

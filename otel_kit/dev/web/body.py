"""Read a request's body without taking in more than is allowed."""

from __future__ import annotations

from starlette.requests import Request

from otel_kit.dev.errors import Refusal
from otel_kit.dev.numbers import whole_number

__all__ = ["read_body"]


async def read_body(request: Request, limit: int) -> bytes:
    """The body; 413 as soon as it is known to be longer than `limit` bytes."""
    declared = whole_number(request.headers.get("content-length", ""))
    if declared is not None and declared > limit:
        raise Refusal(413, f"the request body is longer than {limit} bytes")
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise Refusal(413, f"the request body is longer than {limit} bytes")
        chunks.append(chunk)
    return b"".join(chunks)

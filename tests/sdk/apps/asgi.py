"""Calls an ASGI application as a server would."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

Send = Callable[[dict[str, Any]], Awaitable[None]]


async def call(
    to: Any,
    path: str,
    case: str,
    *,
    without: tuple[str, ...] = (),
    send: Send | None = None,
    messages: tuple[dict[str, Any], ...] = (),
    **scope: Any,
) -> list[dict[str, Any]]:
    """What the application sends; what it raises is swallowed, as by a server."""
    whole = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": f"case={case}".encode(),
        "root_path": "",
        "headers": [(b"host", b"shop.test")],
        "client": ("10.0.0.1", 4000),
        "server": ("10.0.0.2", 80),
        **scope,
    }
    for key in without:
        del whole[key]
    sent: list[dict[str, Any]] = []
    waiting = list(messages or [{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> dict[str, Any]:
        if not waiting:
            await asyncio.sleep(3600)
        return waiting.pop(0)

    async def keep(message: dict[str, Any]) -> None:
        sent.append(message)

    with contextlib.suppress(Exception, asyncio.CancelledError):
        await to(whole, receive, send or keep)
    return sent

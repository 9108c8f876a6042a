"""Flushes at the end of an ASGI lifespan: for a server it is the last moment before the process ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from otel_kit.sdk.http.types import App, Message, Receive, Scope, Send
from otel_kit.sdk.notes import quietly

if TYPE_CHECKING:
    from otel_kit.sdk.lifecycle import Lifecycle

__all__ = ["lifespan"]


async def lifespan(lifecycle: Lifecycle, app: App, scope: Scope, receive: Receive, send: Send) -> None:
    """Call `app`, and let `lifecycle` know of begin and end."""

    async def receiving() -> Message:
        message = await receive()
        if message["type"] == "lifespan.startup":
            quietly("lifespan", lifecycle.resume)
        return message

    async def sending(message: Message) -> None:
        if message["type"] in ("lifespan.shutdown.complete", "lifespan.shutdown.failed"):
            await _in_thread(lifecycle.pause)
        await send(message)

    await app(scope, receiving, sending)


async def _in_thread(work: Callable[[], None]) -> None:
    try:
        task = asyncio.get_running_loop().run_in_executor(None, quietly, "flush", work)
    except RuntimeError:  # trio, or a loop whose threads are gone already
        quietly("flush", work)
        return
    await task

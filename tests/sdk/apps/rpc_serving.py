"""Serves for a while, whichever of the two gRPC stacks a server is of."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import AsyncIterator
from typing import Any

__all__ = ["serving"]


@contextlib.asynccontextmanager
async def serving(server: Any) -> AsyncIterator[int]:
    """The port of a server that has its handlers; it is stopped at the end of the block."""
    port: int = server.add_insecure_port("localhost:0")
    started = server.start()
    if inspect.isawaitable(started):
        await started
    try:
        yield port
    finally:
        stopped = server.stop(None)
        if inspect.isawaitable(stopped):
            await stopped
        else:
            stopped.wait()

"""Calls that a server of grpc.aio refuses, since it already serves as many as it may."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

__all__ = ["Limited"]


class Limited:
    """A handler that notices whether its call gets to it.

    grpc.aio looks at the limit when it has the handler, and looks at the handler only below the limit.

    Args:
        handler: the real one.
        refused: called at the end of a call that did not.
    """

    def __init__(self, handler: Any, refused: Callable[[], None]) -> None:
        self._handler = handler
        self._reached = False
        task = asyncio.current_task()
        if task is not None:
            task.add_done_callback(lambda _: None if self._reached else refused())

    @property
    def request_streaming(self) -> bool:
        """The first thing that is asked of a handler."""
        self._reached = True
        return bool(self._handler.request_streaming)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._handler, name)

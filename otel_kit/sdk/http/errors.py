"""Errors of a request: which ones are the client's leaving, and what each is called."""

from __future__ import annotations

from typing import Final

from otel_kit.sdk.text import type_of

__all__ = ["GONE", "error_type"]

#: Raised when the other side has gone: no fault of the service.
GONE: Final = frozenset({"CancelledError", "ClientDisconnect", "ClientDisconnected", "WebSocketDisconnect"})


def error_type(error: BaseException) -> str | None:
    """The value of ``error.type``; None for the ordinary end of a WebSocket."""
    name = type(error).__name__
    if name == "WebSocketDisconnect":
        return None
    return name if name in GONE else type_of(error)

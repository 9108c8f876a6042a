"""Errors of a request: which ones are the client's leaving, and what each is called."""

from __future__ import annotations

from typing import Final

from otel_kit.sdk.text import type_of

__all__ = ["alone", "error_type", "is_gone"]

#: Raised when the other side, or the event loop, has gone.
_GONE: Final = frozenset(
    {"CancelledError", "ClientDisconnect", "ClientDisconnected", "GeneratorExit", "WebSocketDisconnect"}
)
#: Also those of the backport for Python 3.10.
_GROUPS: Final = frozenset({"ExceptionGroup", "BaseExceptionGroup"})


def is_gone(error: BaseException, *, disconnected: bool) -> bool:
    """True where the other side has left, which is no fault of the service.

    Args:
        error: what the application raised.
        disconnected: the server has told that the client is gone.
    """
    return type(error).__name__ in _GONE or (disconnected and isinstance(error, OSError))


def alone(error: BaseException) -> BaseException:
    """The error that a middleware with a group of tasks has put into a group of its own."""
    for _ in range(10):
        inner = getattr(error, "exceptions", None)
        if type(error).__name__ not in _GROUPS or not isinstance(inner, tuple) or len(inner) != 1:
            break
        error = inner[0]
    return error


def error_type(error: BaseException) -> str | None:
    """The value of ``error.type``; None for the ordinary end of a WebSocket."""
    name = type(error).__name__
    if name == "WebSocketDisconnect":
        return None
    return name if name in _GONE else type_of(error)

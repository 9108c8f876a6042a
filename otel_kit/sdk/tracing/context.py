"""The current context, without the API's detours where it is kept in the usual way."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Token
from typing import Any, Final

from opentelemetry import context as api
from opentelemetry.context import Context
from opentelemetry.context.contextvars_context import ContextVarsRuntimeContext

__all__ = ["attach", "current", "detach"]

_RUNTIME: Final = api._RUNTIME_CONTEXT
_usual: Final = type(_RUNTIME) is ContextVarsRuntimeContext
_variable: Final[Any] = _RUNTIME._current_context if isinstance(_RUNTIME, ContextVarsRuntimeContext) else None

#: The current context.
current: Final[Callable[[], Context]] = _variable.get if _usual else api.get_current
#: Makes a context the current one; the token is for `detach`.
attach: Final[Callable[[Context], Token[Context]]] = _variable.set if _usual else api.attach
_reset: Final[Callable[[Token[Context]], None]] = _variable.reset if _usual else api.detach


def detach(token: Token[Context]) -> None:
    """Back to the context before; what fails is told as the API tells it."""
    try:
        _reset(token)
    except Exception:
        api.detach(token)

"""gRPC's context of a plain function in grpc.aio, which takes a status and does not give it back."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

__all__ = ["Noting"]


class Noting:
    """That context, with the status noted; all else is the context's own, its class included."""

    def __init__(self, context: Any) -> None:
        self._context = context
        self._code: Any = None
        self._details = ""

    @staticmethod
    def around(behavior: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        """A handler that gets such a context."""

        @functools.wraps(behavior)
        def call(request: Any, context: Any) -> Any:
            return behavior(request, Noting(context))

        return call

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self._context)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def set_code(self, code: Any) -> None:
        """See ``grpc.ServicerContext``."""
        self._code = code
        self._context.set_code(code)

    def set_details(self, details: str) -> None:
        """See ``grpc.ServicerContext``."""
        self._details = details
        self._context.set_details(details)

    def abort(self, code: Any, details: str = "", *args: Any, **kwargs: Any) -> Any:
        """See ``grpc.ServicerContext``."""
        self._code, self._details = code, details
        return self._context.abort(code, details, *args, **kwargs)

    def code(self) -> Any:
        """What was set, or None."""
        return self._code

    def details(self) -> str:
        """What was set."""
        return self._details

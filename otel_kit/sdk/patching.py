"""Replaces functions of other libraries: once each, transparently, and so that it can be undone."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

__all__ = ["replace", "restore"]

_MARK: Final = "_otel_kit_replaced"
_done: list[tuple[Any, str, Any]] = []


def replace(owner: Any, name: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Put ``make(original)`` in the place of ``owner.name``; a second time does nothing."""
    original = vars(owner)[name]
    static = isinstance(original, staticmethod)
    function = original.__func__ if static else original
    if hasattr(function, _MARK):
        return
    replacement = functools.wraps(function)(make(function))
    setattr(replacement, _MARK, True)
    setattr(owner, name, staticmethod(replacement) if static else replacement)
    _done.append((owner, name, original))


def restore() -> None:
    """Put all originals back."""
    while _done:
        owner, name, original = _done.pop()
        setattr(owner, name, original)

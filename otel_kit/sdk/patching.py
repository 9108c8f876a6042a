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
    if hasattr(original, _MARK):
        return
    replacement = functools.wraps(original)(make(original))
    setattr(replacement, _MARK, True)
    setattr(owner, name, replacement)
    _done.append((owner, name, original))


def restore() -> None:
    """Put all originals back."""
    while _done:
        owner, name, original = _done.pop()
        setattr(owner, name, original)

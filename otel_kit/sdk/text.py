"""Texts of objects that belong to the service: asking for one never fails."""

from __future__ import annotations

import traceback

__all__ = ["stack_of", "text_of", "type_of"]


def text_of(value: object) -> str:
    """``str(value)``, or a placeholder with the name of its class."""
    try:
        return str(value)
    except Exception:
        return f"<{type(value).__name__} without a text>"


def type_of(error: BaseException) -> str:
    """The value of ``error.type``: the class with its module, without it for built-in ones."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def stack_of(error: BaseException) -> str:
    """Its traceback with those of its causes."""
    try:
        return "".join(traceback.format_exception(error))
    except Exception:
        return ""

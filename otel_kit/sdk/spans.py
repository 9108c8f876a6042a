"""What all instrumentations do with an error."""

from __future__ import annotations

from opentelemetry.trace import Span

__all__ = ["error_type", "record_once"]


def error_type(error: BaseException) -> str:
    """The value of ``error.type``: the class with its module, without it for built-in ones."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def record_once(span: Span, error: BaseException) -> None:
    """Add an exception event, unless the service itself has already recorded this error on the span."""
    name, text = error_type(error), str(error)
    for event in getattr(span, "events", ()):
        seen = event.attributes or {}
        if (
            event.name == "exception"
            and seen.get("exception.type") == name
            and seen.get("exception.message") == text
        ):
            return
    span.record_exception(error)

"""What all instrumentations do with an error."""

from __future__ import annotations

from typing import Final

from opentelemetry.trace import Span

from otel_kit.sdk.text import stack_of, text_of, type_of

__all__ = ["LEFT", "record_once", "remember"]

#: Attribute of an exception with the context of the span that it has left.
LEFT: Final = "_otel_kit_span"


def remember(span: Span, error: BaseException) -> None:
    """Note that `error` leaves `span` for the server, which will log it when the span is over."""
    error.__dict__[LEFT] = span.get_span_context()


def record_once(span: Span, error: BaseException) -> None:
    """Add an exception event, unless the service itself has already recorded this error on the span.

    ``Span.record_exception`` would raise where the error has no text.
    """
    name, text = type_of(error), text_of(error)
    for event in getattr(span, "events", ()):
        seen = event.attributes or {}
        if (
            event.name == "exception"
            and seen.get("exception.type") == name
            and seen.get("exception.message") == text
        ):
            return
    span.add_event(
        "exception",
        {"exception.type": name, "exception.message": text, "exception.stacktrace": stack_of(error)},
    )

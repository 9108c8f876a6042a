"""What is made of an error that a span ends with."""

from __future__ import annotations

from typing import Final

from opentelemetry.trace import Span, Status, StatusCode

from otel_kit.sdk.text import stack_of, text_of, type_of

__all__ = ["LEFT", "exception_attributes", "failed", "record_once", "remember"]

#: Attribute of an exception with the context of the span that it has left.
LEFT: Final = "_otel_kit_span"


def remember(span: Span, error: BaseException) -> None:
    """Note that `error` leaves `span` for the server, which will log it when the span is over."""
    error.__dict__[LEFT] = span.get_span_context()


def exception_attributes(error: BaseException) -> dict[str, str]:
    """Attributes of an exception event, also of an error that has no text."""
    return {
        "exception.type": type_of(error),
        "exception.message": text_of(error),
        "exception.stacktrace": stack_of(error),
    }


def failed(error: BaseException) -> Status:
    """The status of a span that an error ended."""
    return Status(StatusCode.ERROR, f"{type(error).__name__}: {text_of(error)}")


def record_once(span: Span, error: BaseException) -> None:
    """Add an exception event, unless the service itself has already recorded this error on the span."""
    found = exception_attributes(error)
    for event in getattr(span, "events", ()):
        seen = event.attributes or {}
        same = all(seen.get(key) == found[key] for key in ("exception.type", "exception.message"))
        if event.name == "exception" and same:
            return
    span.add_event("exception", found)

"""What is made of an error that a span ends with, and of a span that should not have begun."""

from __future__ import annotations

from inspect import CO_ASYNC_GENERATOR, CO_GENERATOR
from types import CodeType, FrameType, TracebackType
from typing import Final

from opentelemetry.trace import Span, SpanContext, Status, StatusCode, TraceFlags

from otel_kit.sdk.notes import fault
from otel_kit.sdk.text import stack_of, text_of, type_of

__all__ = ["exception_attributes", "failed", "left_by", "record_once", "remember", "unsample"]

#: By the id of an error: where in the code it left a span, and that span. An error carries no mark of ours: a
#: service may write out what is in it, or send it to another process.
_left: Final[dict[int, tuple[CodeType, int, SpanContext]]] = {}
_MOST: Final = 256
_GENERATORS: Final = CO_GENERATOR | CO_ASYNC_GENERATOR


def remember(span: Span, error: BaseException) -> None:
    """Note that `error` leaves `span`, for whoever logs it when the span is over. Never raises."""
    try:
        trace = error.__traceback__
        if trace is not None:
            if len(_left) >= _MOST:
                _left.clear()
            way = _way_out(trace)
            _left[id(error)] = way.tb_frame.f_code, way.tb_lasti, span.get_span_context()
    except Exception:
        fault("an error that leaves a span")


def left_by(error: BaseException) -> SpanContext | None:
    """The last span that `error` has left, as far as that is remembered."""
    found = _left.get(id(error))
    trace = error.__traceback__
    # The id alone may be that of an error that is gone; the same way out of the same code is not.
    while found is not None and trace is not None:
        if (trace.tb_frame.f_code, trace.tb_lasti) == found[:2]:
            return found[2]
        trace = trace.tb_next
    return None


def _way_out(trace: TracebackType) -> TracebackType:
    """The statement that the error leaves; one in a generator that is a context manager leaves no trace."""
    while (
        trace.tb_next is not None
        and trace.tb_frame.f_code.co_flags & _GENERATORS
        and _led_to(trace.tb_frame, trace.tb_next.tb_frame)
    ):
        trace = trace.tb_next
    return trace


def _led_to(frame: FrameType | None, caller: FrameType) -> bool:
    while frame is not None and frame is not caller:
        frame = frame.f_back
    return frame is caller


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


def unsample(span: Span) -> None:
    """Have processors take `span` for one that is not sampled, which they leave out."""
    if not span.is_recording():
        return
    own = span.get_span_context()
    flags = TraceFlags(own.trace_flags & ~TraceFlags.SAMPLED)
    span._context = SpanContext(own.trace_id, own.span_id, own.is_remote, flags, own.trace_state)  # type: ignore[attr-defined]

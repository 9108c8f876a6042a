"""What goes on after an answer has spans of its own: the request took as long as its client waited.

A task in the background may run for minutes, and fail; neither makes a request slow or wrong that was
answered long ago. Its span is a child of the request's, with the name that OpenTelemetry's own
instrumentation gives it.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import attach, detach, get_current
from opentelemetry.trace import Span, StatusCode, set_span_in_context

from otel_kit.sdk.http.progress import PROGRESS, Progress
from otel_kit.sdk.notes import fault
from otel_kit.sdk.patching import replace
from otel_kit.sdk.spans import record_once, remember
from otel_kit.sdk.text import text_of, type_of

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Tracer

__all__ = ["patch_background", "record_late"]

_FAULT: Final = "span of a background task"
#: Where contrib keeps the function that it has replaced.
_BEFORE_CONTRIB: Final = "_otel_original_call"


def patch_background(module: ModuleType) -> None:
    """`starlette.background`: a span for each task of a request that is recorded."""
    kind = module.BackgroundTask
    replace(kind, "__call__", lambda original: _recording(getattr(kind, _BEFORE_CONTRIB, original)))


def record_late(tracer: Tracer, context: Context, began: int | None, error: BaseException) -> None:
    """Record what `error` ended when the span of its request was over.

    Args:
        tracer: of the request.
        context: of the request.
        began: when its response was complete, in nanoseconds since 1970.
        error: what the application has raised.
    """
    span = tracer.start_span("after the response", context, start_time=began)
    _fail(span, error)
    span.end()


def _recording(original: Callable[..., Any]) -> Callable[..., Any]:
    async def call(task: Any) -> None:
        progress: Any = get_current().get(PROGRESS)
        span = None if progress is None else _begun(progress, task)
        if span is None:
            await original(task)
            return
        token = attach(set_span_in_context(span))
        try:
            await original(task)
        except Exception as error:
            _failed(progress, span, error)
            raise
        finally:
            detach(token)
            _end(span)

    return call


def _begun(progress: Progress, task: Any) -> Span | None:
    try:
        name = getattr(task.func, "__name__", None) or type(task.func).__name__
        return progress["tracer"].start_span(f"BackgroundTask {name}")
    except Exception:
        fault(_FAULT)
        return None


def _failed(progress: Progress, span: Span, error: Exception) -> None:
    try:
        progress["failed"] = span, id(error)
        _fail(span, error)
    except Exception:
        fault(_FAULT)


def _fail(span: Span, error: BaseException) -> None:
    remember(span, error)
    if span.is_recording():
        span.set_attribute("error.type", type_of(error))
        span.set_status(StatusCode.ERROR, text_of(error))
        record_once(span, error)


def _end(span: Span) -> None:
    try:
        span.end()
    except Exception:
        fault(_FAULT)

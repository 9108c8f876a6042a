"""`start_as_current_span` without the two generators of the SDK."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextlib import ContextDecorator
from typing import TYPE_CHECKING, Any, TypeVar

from opentelemetry.context import Context
from opentelemetry.trace import Span as ApiSpan
from opentelemetry.trace.propagation import _SPAN_KEY

from otel_kit.sdk.notes import fault
from otel_kit.sdk.spans import failed, remember
from otel_kit.sdk.tracing.context import attach, current, detach

if TYPE_CHECKING:
    from contextvars import Token
    from types import TracebackType

    from opentelemetry.sdk.trace import Tracer

__all__ = ["Current"]

F = TypeVar("F", bound=Callable[..., Any])


class Current(ContextDecorator):
    """Starts a span on entry and makes it the current one; on exit notes an error and ends the span.

    As a decorator it does so around each call, and around the whole run of a coroutine function.

    Args:
        tracer: starts the span.
        arguments: for its `start_span`, all of them.
        end_on_exit: whether the exit ends the span.
    """

    _span: ApiSpan
    _token: Token[Context]

    def __init__(self, tracer: Tracer, arguments: tuple[Any, ...], end_on_exit: bool) -> None:
        self._tracer = tracer
        self._arguments = arguments
        self._end_on_exit = end_on_exit

    @property
    def kind(self) -> Any:
        """The kind of the span."""
        return self._arguments[2]

    def __enter__(self) -> ApiSpan:
        span = self._span = self._tracer.start_span(*self._arguments)
        self._token = attach(Context({**current(), _SPAN_KEY: span}))
        return span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        span = self._span
        try:
            detach(self._token)
            # What is no Exception, as the end of a generator or a cancellation, is no error.
            if isinstance(error, Exception):
                remember(span, error)
                if span.is_recording():
                    self._note(span, error)
        except Exception:
            fault("leaving a span")
        if self._end_on_exit:
            span.end()

    def _note(self, span: ApiSpan, error: Exception) -> None:
        record_exception, set_status = self._arguments[-2:]
        if record_exception:
            span.record_exception(error)
        if set_status:
            span.set_status(failed(error))

    def _recreate_cm(self) -> Current:
        return Current(self._tracer, self._arguments, self._end_on_exit)

    def __call__(self, func: F) -> F:
        """Run each call of `func` in a span of its own."""
        if not inspect.iscoroutinefunction(func):
            return super().__call__(func)

        @functools.wraps(func)
        async def run(*args: Any, **kwargs: Any) -> Any:
            with self._recreate_cm():
                return await func(*args, **kwargs)

        return run  # type: ignore[return-value]

"""Tracers of libraries that instrument clients, whose spans want a little more than others.

A contrib package leaves a call that was cancelled as if all were well, and some leave out the kind of an
error. Names of statements may hold more than their first word.

Google's libraries have CLIENT spans of their own around calls that are recorded as CLIENT spans as well. A
call is one CLIENT span, which carries the context to the server and has the status of the wire. What the
library says besides is kept around it, as INTERNAL; where nothing records the call itself, it stays CLIENT.
"""

from __future__ import annotations

import re
from types import TracebackType
from typing import Any, Final

from opentelemetry import trace as api
from opentelemetry.trace import SpanKind, StatusCode

from otel_kit.sdk.clients.catalogue import is_recorded
from otel_kit.sdk.notes import fault
from otel_kit.sdk.tracing.current import Current
from otel_kit.sdk.tracing.tracer import Tracer

__all__ = ["tracer_class"]

_CLIENT: Final = SpanKind.CLIENT
_CONTRIB: Final = "opentelemetry.instrumentation."
_DATABASES: Final = frozenset(f"{_CONTRIB}{name}" for name in ("asyncpg", "psycopg"))
#: The first word of a statement, maybe behind what the package puts before it (``CURSOR: SELECT``).
_OPERATION: Final = re.compile(r"(?:\w+: )?\w+")
#: By scope: the instrumentation that records the calls beneath.
_BENEATH: Final = {
    "cloud.google.com/python/spanner": "grpc",
    "google.cloud.pubsub_v1": "grpc",
    "google.cloud.storage._opentelemetry_tracing": "requests",
}


def tracer_class(scope: str) -> type[Tracer]:
    """The class of the tracer of a scope."""
    if scope.startswith(_CONTRIB):
        return _StatementTracer if scope in _DATABASES else _CallTracer
    return _OuterTracer if scope in _BENEATH else Tracer


class _OuterTracer(Tracer):
    """Makes INTERNAL spans of CLIENT spans."""

    def start_span(
        self,
        name: str,
        context: Any = None,
        kind: SpanKind = SpanKind.INTERNAL,
        *others: Any,
        **named: Any,
    ) -> api.Span:
        if kind is _CLIENT and is_recorded(_BENEATH[self._instrumentation_scope.name]):
            kind = SpanKind.INTERNAL
        return super().start_span(name, context, kind, *others, **named)


class _CallTracer(Tracer):
    """Notes of each call how it failed."""

    def start_as_current_span(self, *args: Any, **kwargs: Any) -> Current:  # type: ignore[override]
        made = super().start_as_current_span(*args, **kwargs)
        if made.kind is _CLIENT:
            made.__class__ = _Call
        return made


class _StatementTracer(_CallTracer):
    """Takes of a statement no more than the operation for the name: ``SELECT'x'`` holds a literal."""

    def start_span(self, name: str, *args: Any, **kwargs: Any) -> api.Span:
        operation = _OPERATION.match(name)
        return super().start_span(operation[0] if operation else name, *args, **kwargs)


class _Call(Current):
    """A call, for which a cancellation is an error: nobody waits for its answer any more."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and kind is not None:
            try:
                _note(self._span, error, kind.__qualname__)
            except Exception:
                fault("a failed call")
        super().__exit__(kind, error, trace)


def _note(span: Any, error: BaseException, kind: str) -> None:
    cancelled = kind == "CancelledError"
    if not span.is_recording() or not (cancelled or isinstance(error, Exception)):
        return
    if "error.type" not in span.attributes:
        span.set_attribute("error.type", kind)
    if cancelled:
        span.set_status(StatusCode.ERROR, "cancelled")

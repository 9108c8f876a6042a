"""Tracers of libraries whose own CLIENT spans stand around calls that are recorded as CLIENT spans as well.

A call is one CLIENT span, which carries the context to the server and has the status of the wire. What the
library says besides is kept around it, as INTERNAL; where nothing records the call itself, it stays CLIENT.
"""

from __future__ import annotations

from typing import Any, Final

from opentelemetry import trace as api
from opentelemetry.trace import SpanKind

from otel_kit.sdk.clients.catalogue import is_recorded
from otel_kit.sdk.tracing.tracer import Tracer

__all__ = ["OuterTracer"]

#: By scope: the instrumentation that records the calls beneath.
_BENEATH: Final = {
    "cloud.google.com/python/spanner": "grpc",
    "google.cloud.pubsub_v1": "grpc",
    "google.cloud.storage._opentelemetry_tracing": "requests",
}


class OuterTracer(Tracer):
    """Makes INTERNAL spans of CLIENT spans."""

    @staticmethod
    def is_for(tracer: Any) -> bool:
        """Whether it belongs to such a library."""
        return tracer._instrumentation_scope.name in _BENEATH

    def start_span(
        self,
        name: str,
        context: Any = None,
        kind: SpanKind = SpanKind.INTERNAL,
        *others: Any,
        **named: Any,
    ) -> api.Span:
        """Start a span, which the caller ends."""
        if kind is SpanKind.CLIENT and is_recorded(_BENEATH[self._instrumentation_scope.name]):
            kind = SpanKind.INTERNAL
        return super().start_span(name, context, kind, *others, **named)

"""The SDK's tests of traces, with our provider, tracer and span in the place of the SDK's."""

from __future__ import annotations

from typing import Final

DISTRIBUTION: Final = "opentelemetry-sdk"
TESTS: Final = ("tests/trace",)
LIBRARIES: Final = ()


def substitute() -> None:
    """All that the tests reach by `opentelemetry.sdk.trace`, and what the SDK's own modules make of it."""
    from opentelemetry.sdk import trace

    from otel_kit.sdk.tracing import processors, provider, span, tracer

    trace.TracerProvider = provider.TracerProvider  # type: ignore[misc]
    trace.Tracer = tracer.Tracer  # type: ignore[misc]
    trace._Span = span.Span  # type: ignore[assignment,misc]
    trace.SynchronousMultiSpanProcessor = processors.Processors  # type: ignore[misc]

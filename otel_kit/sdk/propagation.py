"""W3C trace context and baggage as the global propagators."""

from __future__ import annotations

import os

from otel_kit.sdk.notes import LOGGER

__all__ = ["set_propagators"]


def set_propagators() -> None:
    """Use what ``OTEL_PROPAGATORS`` names, else W3C trace context and baggage.

    The API reads that variable when its module is imported, and raises there when it does not know a name.
    """
    try:
        from opentelemetry import propagate
    except Exception:
        wrong = os.environ.pop("OTEL_PROPAGATORS", None)
        LOGGER.warning("otel-kit: OTEL_PROPAGATORS=%r cannot be used, so tracecontext,baggage is", wrong)
        from opentelemetry import propagate
    if os.environ.get("OTEL_PROPAGATORS"):
        return
    from opentelemetry.baggage.propagation import W3CBaggagePropagator
    from opentelemetry.propagators.composite import CompositePropagator
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    propagate.set_global_textmap(
        CompositePropagator([TraceContextTextMapPropagator(), W3CBaggagePropagator()])
    )

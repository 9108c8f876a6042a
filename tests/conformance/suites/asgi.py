"""Contrib's tests of its ASGI middleware, which our engine stands in for."""

from __future__ import annotations

from typing import Final

DISTRIBUTION: Final = "opentelemetry-instrumentation-asgi"
TESTS: Final = ("tests",)
LIBRARIES: Final = ()


def substitute() -> None:
    """As for a service that wraps its application in their middleware."""
    import otel_kit.sdk.http.instrumentor  # noqa: F401

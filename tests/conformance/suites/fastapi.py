"""Contrib's tests of its instrumentor of FastAPI, with ours in the place of theirs."""

from __future__ import annotations

from typing import Final

DISTRIBUTION: Final = "opentelemetry-instrumentation-fastapi"
TESTS: Final = ("tests",)
LIBRARIES: Final = ()


def substitute() -> None:
    """The class that the tests take from contrib's module."""
    from opentelemetry.instrumentation import fastapi

    from otel_kit.sdk.http.instrumentor import FastAPIInstrumentor

    fastapi.FastAPIInstrumentor = FastAPIInstrumentor  # type: ignore[misc]

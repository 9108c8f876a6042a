"""Handlers of OpenTelemetry's own that a service has attached: they would send to us what we have already.

Those with a provider of another make go on as they do.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

from otel_kit.sdk.imports import when_imported
from otel_kit.sdk.logs.intake import Intake
from otel_kit.sdk.patching import replace

__all__ = ["bridge"]

#: Where a ``LoggingHandler`` is: of the SDK, and of contrib's instrumentation of logging.
_MODULES: Final = ("opentelemetry.sdk._logs._internal", "opentelemetry.instrumentation.logging.handler")
#: Modules of the classes of providers that lead to us: ours, and the API's stand-in for the global one.
_LEAD_TO_US: Final = ("otel_kit.sdk.logs.provider", "opentelemetry._logs._internal")


def bridge(intake: Intake) -> None:
    """Take their records from now on, where ours is the global provider."""

    def once(original: Callable[..., None]) -> Callable[..., None]:
        def emit(handler: Any, record: logging.LogRecord) -> None:
            if type(getattr(handler, "_logger_provider", None)).__module__ in _LEAD_TO_US:
                intake.take(record)
            else:
                original(handler, record)

        return emit

    def hook(module: ModuleType) -> None:
        replace(module.LoggingHandler, "emit", once)

    for name in _MODULES:
        when_imported(name, hook)

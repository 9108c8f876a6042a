"""Keeps FastAPI's own telemetry silent where the service wants no server spans.

Since 0.165 FastAPI records requests on its own as soon as there is a global provider: with a span for each
step, also of health checks, and with the context of any caller. An application that `HttpTelemetry` is around
does not: that takes its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Final

from otel_kit.sdk.imports import when_imported
from otel_kit.sdk.patching import replace

__all__ = ["silence"]

#: What `FastAPI()` without an argument ``telemetry`` has.
_DEFAULTS: Final = {
    **dict.fromkeys(("tracer_provider", "meter_provider", "logger_provider", "exclude")),
    **dict.fromkeys(("tracing", "metrics", "logs", "operation_spans"), True),
    "auto_configure": False,
}


def silence() -> None:
    """Let only those applications record themselves that ask for it, now or once FastAPI is imported."""
    when_imported("fastapi.telemetry._asgi", _patch)


def _patch(module: ModuleType) -> None:
    replace(module.NativeTelemetry, "enabled", _if_asked)


def _if_asked(original: Callable[[Any], bool]) -> Callable[[Any], bool]:
    def enabled(native: Any) -> bool:
        return _asks(native.config) and original(native)

    return enabled


def _asks(config: Mapping[str, Any]) -> bool:
    """Whether the service has given the argument, or set FASTAPI_OTEL_AUTO_CONFIGURE."""
    return any(value != _DEFAULTS.get(name) for name, value in config.items())

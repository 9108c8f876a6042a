"""Other telemetry in the process: told in one sentence, and never doubled.

Global providers cannot be replaced, and a second pipeline beside theirs would send everything twice. So
whoever came first keeps the service; who comes later is told, or kept out where that is possible.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Final

from otel_kit.sdk.imports import when_imported
from otel_kit.sdk.notes import LOGGER
from otel_kit.sdk.patching import replace

__all__ = ["in_charge", "keep_out", "tell_of_children"]

#: Loaded by ``import ddtrace.auto`` and by ddtrace-run.
DDTRACE_MODULES: Final = frozenset({"ddtrace.auto", "ddtrace.bootstrap.preload"})
#: What the API has where nobody has set a provider.
API_PACKAGES: Final = ("opentelemetry.trace", "opentelemetry.metrics", "opentelemetry._logs")


def in_charge() -> str:
    """Who else already sends the telemetry of this process, in one sentence, or an empty string."""
    return _ddtrace() or _provider()


def keep_out() -> None:
    """See to it that what comes after `init` does not send everything a second time."""
    when_imported("fastapi.telemetry._runtime", _no_exporters_of_fastapi)
    when_imported("ddtrace.auto", _tell_of_ddtrace)


def tell_of_children() -> None:
    """Children that were forked before `init` know nothing of it."""
    multiprocessing = sys.modules.get("multiprocessing")
    children = multiprocessing.active_children() if multiprocessing else []
    forked = [child for child in children if getattr(getattr(child, "_popen", None), "method", "") == "fork"]
    if forked:
        LOGGER.warning(
            "otel-kit: %d child process%s forked before init() and send%s nothing; call init() before",
            len(forked),
            "es were" if len(forked) > 1 else " was",
            "" if len(forked) > 1 else "s",
        )


def _no_exporters_of_fastapi(module: ModuleType) -> None:
    """It would add exporters to our providers, also for an application that was made before `init`."""

    def make(_: Callable[..., None]) -> Callable[..., None]:
        def leave_out(config: Mapping[str, Any]) -> None:
            if config.get("auto_configure"):
                LOGGER.warning(
                    "otel-kit: FASTAPI_OTEL_AUTO_CONFIGURE (or auto_configure) of FastAPI would send "
                    "everything twice, so it is left out; remove it"
                )

        return leave_out

    if hasattr(module, "_configure_from_environment"):
        replace(module, "_configure_from_environment", make)


def _tell_of_ddtrace(_: ModuleType) -> None:
    LOGGER.warning(
        "otel-kit: ddtrace was imported after init(); what both instrument is sent twice, so remove one"
    )


def _ddtrace() -> str:
    if not DDTRACE_MODULES.isdisjoint(sys.modules):
        return "ddtrace already instruments this process; start it without ddtrace-run to use otel-kit"
    patched = sorted(_patched_by_ddtrace())
    if patched:
        return f"ddtrace has already patched {', '.join(patched)}; remove its patch() calls to use otel-kit"
    return ""


def _patched_by_ddtrace() -> set[str]:
    monkey: Any = sys.modules.get("ddtrace._monkey")
    return set(getattr(monkey, "_PATCHED_MODULES", ()))


def _provider() -> str:
    from opentelemetry import metrics, trace

    providers: list[Any] = [trace.get_tracer_provider(), metrics.get_meter_provider()]
    logs = sys.modules.get("opentelemetry._logs")  # where nobody has loaded it, nobody has set one
    if logs is not None:
        providers.append(logs.get_logger_provider())
    for provider in providers:
        kind = type(provider)
        if not kind.__module__.startswith(API_PACKAGES):
            return (
                f"{kind.__module__}.{kind.__qualname__} was already set by other code "
                "(opentelemetry-instrument?); remove that, or init(), so that nothing is sent twice"
            )
    return ""

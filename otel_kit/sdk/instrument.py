"""Hooks the instrumentations into their libraries, as soon as those are imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_kit.sdk.imports import when_imported

if TYPE_CHECKING:
    from otel_kit.sdk.lifecycle import Lifecycle
    from otel_kit.sdk.settings import Settings

__all__ = ["instrument"]


def instrument(settings: Settings, lifecycle: Lifecycle) -> None:
    """Install what the settings name; a library that is never imported costs nothing."""
    if "fastapi" in settings.instrument:
        from otel_kit.sdk import asgi_hook

        hook = asgi_hook.AsgiHook(settings.health_routes, lifecycle)
        when_imported("starlette.applications", hook.patch_starlette)
        when_imported("fastapi.applications", hook.patch_fastapi)
        when_imported("opentelemetry.instrumentation.asgi", hook.patch_contrib)
    if "grpc" in settings.instrument:
        from otel_kit.sdk.rpc_hook import patch_grpc

        when_imported("grpc", patch_grpc)

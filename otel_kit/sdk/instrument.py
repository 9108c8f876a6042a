"""Hooks the instrumentations into their libraries, as soon as those are imported."""

from __future__ import annotations

import functools
from types import ModuleType
from typing import TYPE_CHECKING, Final

from otel_kit.sdk.imports import when_imported

if TYPE_CHECKING:
    from otel_kit.sdk.config.http import HttpSettings
    from otel_kit.sdk.config.rpc import RpcSettings
    from otel_kit.sdk.config.settings import Settings
    from otel_kit.sdk.http.hook import AsgiHook
    from otel_kit.sdk.lifecycle import Lifecycle

__all__ = ["instrument"]

#: Modules that record HTTP requests, too.
RECORDERS: Final = (
    "opentelemetry.instrumentation.asgi",
    "opentelemetry.instrumentation.fastapi",
    "starlette.middleware.opentelemetry",
)


def instrument(settings: Settings, lifecycle: Lifecycle) -> None:
    """Install what the settings name; a library that is never imported costs nothing."""
    if "fastapi" in settings.instrument:
        _http(settings.http, lifecycle)
    if "grpc" in settings.instrument:
        _rpc(settings.rpc)


def _http(settings: HttpSettings, lifecycle: Lifecycle) -> None:
    @functools.cache
    def hook() -> AsgiHook:
        from otel_kit.sdk.http.hook import HOOK

        HOOK.begin(settings, lifecycle)
        return HOOK

    when_imported("starlette.applications", lambda module: hook().patch_starlette(module))
    when_imported("fastapi.applications", lambda module: hook().patch_fastapi(module))
    for name in ("starlette.routing", "fastapi.routing"):
        when_imported(name, _patch_routes)
    for name in RECORDERS:
        when_imported(name, lambda module: hook().stand_in(module))


def _patch_routes(module: ModuleType) -> None:
    from otel_kit.sdk.http.routes import patch_routes

    patch_routes(module)


def _rpc(settings: RpcSettings) -> None:
    def patch(module: ModuleType) -> None:
        from otel_kit.sdk.rpc.hook import patch_grpc

        patch_grpc(module, settings)

    when_imported("grpc", patch)

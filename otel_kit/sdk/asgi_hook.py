"""Puts `HttpTelemetry` around every Starlette and FastAPI application, whenever it was made or imported.

The class is changed, not the application: a middleware added to one would miss what happens outside of it
(unhandled exceptions, mounts), and an application made before `init()`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

from otel_kit.sdk.asgi import MARK, HttpTelemetry
from otel_kit.sdk.notes import LOGGER, RateLimit
from otel_kit.sdk.patching import replace

if TYPE_CHECKING:
    from otel_kit.sdk.lifecycle import Lifecycle

__all__ = ["AsgiHook"]


class AsgiHook:
    """The functions to run once a library is imported.

    Args:
        health_routes: exact paths that are not recorded.
        lifecycle: flushed at the end of the ASGI lifespan.
    """

    def __init__(self, health_routes: frozenset[str], lifecycle: Lifecycle) -> None:
        self._telemetry = HttpTelemetry(health_routes, lifecycle)
        self._note = RateLimit(float("inf"))

    def patch_starlette(self, module: ModuleType) -> None:
        """`starlette.applications`."""
        replace(module.Starlette, "__call__", self._around)

    def patch_fastapi(self, module: ModuleType) -> None:
        """`fastapi.applications`: its own telemetry begins in ``__call__``; ours has to be around that."""
        if "__call__" in vars(module.FastAPI):
            replace(module.FastAPI, "__call__", self._around)

    def patch_contrib(self, module: ModuleType) -> None:
        """`opentelemetry.instrumentation.asgi`: it lets pass what is recorded already, or all is doubled."""
        replace(module.OpenTelemetryMiddleware, "__call__", self._instead_of_contrib)

    def _around(self, original: Callable[..., Any]) -> Callable[..., Any]:
        telemetry = self._telemetry

        async def call(app: Any, scope: Any, receive: Any, send: Any) -> None:
            request = scope.get(MARK)
            if request is None:
                await telemetry(functools.partial(original, app), scope, receive, send)
            else:
                request.scope = scope  # of a mounted application, should something in between have copied it
                await original(app, scope, receive, send)

        return call

    def _instead_of_contrib(self, original: Callable[..., Any]) -> Callable[..., Any]:
        async def call(middleware: Any, scope: Any, receive: Any, send: Any) -> None:
            if scope.get(MARK) is None:
                await original(middleware, scope, receive, send)
                return
            if self._note.allows():
                LOGGER.info(
                    "otel-kit: requests are recorded by otel-kit, and not once more by "
                    "opentelemetry.instrumentation.asgi, whose instrument() call can go"
                )
            await middleware.app(scope, receive, send)

        return call

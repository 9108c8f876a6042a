"""Puts `HttpTelemetry` around every Starlette and FastAPI application, whenever it was made or imported.

The class is changed, not the application: a middleware added to one would miss what happens outside of it
(unhandled exceptions, mounts), and an application made before `init()`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from otel_kit.sdk.http.asgi import MARK, HttpTelemetry
from otel_kit.sdk.notes import LOGGER, RateLimit, quietly
from otel_kit.sdk.patching import replace

if TYPE_CHECKING:
    from otel_kit.sdk.lifecycle import Lifecycle

__all__ = ["AsgiHook"]

#: Key in the scope of the templates of all mounts that a request has passed.
_PREFIX: Final = "otel_kit.prefix"


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

    def patch_routes(self, module: ModuleType) -> None:
        """`starlette.routing` and `fastapi.routing`: what has matched a request notes its template."""
        for name in ("Route", "WebSocketRoute", "APIRoute"):
            kind = getattr(module, name, None)
            if kind is not None and "handle" in vars(kind):
                replace(kind, "handle", _noting(_note_route))
        if "handle" in vars(module.Mount):
            replace(module.Mount, "handle", _noting(_note_mount))

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


def _noting(note: Callable[[Any, Any], None]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def handle(route: Any, scope: Any, *args: Any, **kwargs: Any) -> Any:
            quietly("HTTP route", lambda: note(route, scope))
            return original(route, scope, *args, **kwargs)

        return handle

    return make


def _note_route(route: Any, scope: Any) -> None:
    _note(scope, f"{_prefix(scope)}{_template(route, scope)}")


def _note_mount(mount: Any, scope: Any) -> None:
    before = scope.get(_PREFIX, scope.get("app_root_path", "").rstrip("/"))
    scope[_PREFIX] = before + mount.path_format.removesuffix("/{path}")
    if not mount.routes:  # static files, say: the mount is all there is
        _note(scope, scope[_PREFIX])


def _note(scope: Any, route: str) -> None:
    request = scope.get(MARK)
    if request is not None:
        request.route = route or "/"


def _prefix(scope: Any) -> str:
    """Templates of the mounts passed so far after the root path that a proxy has cut off."""
    prefix: str = scope.get(_PREFIX, scope.get("root_path", "").rstrip("/"))
    return prefix


def _template(route: Any, scope: Any) -> str:
    """Newer versions of FastAPI keep the prefix of ``include_router`` beside the route."""
    context = scope.get("fastapi", {}).get("effective_route_context")
    holder = context if getattr(context, "original_route", None) is route else route
    template: str = holder.path_format
    return template

"""The template of the route that a request has matched, told by the route when it is called.

So it is right whatever stands between the server and the route, however routes are nested, and at a cost
that does not depend on how many there are.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

from otel_kit.sdk.http.asgi import MARK
from otel_kit.sdk.notes import fault
from otel_kit.sdk.patching import replace

__all__ = ["patch_routes"]

Note = Callable[[Any, Any, Any], None]
#: Key in the scope of the templates of all mounts that a request has passed.
_PREFIX: Final = "otel_kit.prefix"


def patch_routes(module: ModuleType) -> None:
    """`starlette.routing` or `fastapi.routing`: have what they define note its template."""
    kinds = {
        "Route": _note_route,
        "WebSocketRoute": _note_route,
        "APIRoute": _note_route,
        "Mount": _note_mount,
        "_FrontendRouteGroup": _note_frontend,
    }
    for name, note in kinds.items():
        kind = getattr(module, name, None)
        if kind is not None and "handle" in vars(kind):
            replace(kind, "handle", _noting(note))


def _noting(note: Note) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def handle(route: Any, scope: Any, receive: Any, send: Any) -> Any:
            request = scope.get(MARK)
            # A route calls that of its base class, too.
            if request is not None and request.matched is not route:
                request.matched = route
                try:
                    note(request, route, scope)
                except Exception:
                    fault("HTTP route")
            return original(route, scope, receive, send)

        return handle

    return make


def _note_route(request: Any, route: Any, scope: Any) -> None:
    # Newer versions of FastAPI keep the prefix of ``include_router`` beside the route.
    context = _context_of(route, scope) if "fastapi" in scope else None
    request.route = f"{_prefix(scope)}{(context or route).path_format}" or "/"


def _note_mount(request: Any, mount: Any, scope: Any) -> None:
    before = scope.get(_PREFIX, scope.get("app_root_path", "").rstrip("/"))
    scope[_PREFIX] = before + mount.path_format.removesuffix("/{path}")
    if not mount.routes:  # static files, say: the mount is all there is
        request.route = scope[_PREFIX] or "/"


def _note_frontend(request: Any, group: Any, scope: Any) -> None:
    context = _context_of(group, scope)
    request.route = f"{_prefix(scope)}{getattr(context, 'frontend_prefix', '')}/{{path}}"


def _prefix(scope: Any) -> str:
    """Templates of the mounts passed so far after the root path that a proxy has cut off."""
    prefix: str | None = scope.get(_PREFIX)
    return scope.get("root_path", "").rstrip("/") if prefix is None else prefix


def _context_of(route: Any, scope: Any) -> Any:
    context = scope.get("fastapi", {}).get("effective_route_context")
    return context if getattr(context, "original_route", None) is route else None

"""The template of the route that a request has matched, told by the route when it is called.

So it is right whatever stands between the server and the route, however routes are nested, and at a cost
that does not depend on how many there are.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from otel_kit.sdk.http.asgi import MARK
from otel_kit.sdk.http.templates import PREFIX, mount_of, prefix_of, template_of
from otel_kit.sdk.notes import fault
from otel_kit.sdk.patching import replace

__all__ = ["patch_routes"]

Note = Callable[[Any, Any, Any], None]


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
    request.route = template_of(route, scope)


def _note_mount(request: Any, mount: Any, scope: Any) -> None:
    before = scope.get(PREFIX, scope.get("app_root_path", "").rstrip("/"))
    scope[PREFIX] = before + mount_of(mount)
    if not mount.routes:  # static files, say: the mount is all there is
        request.route = scope[PREFIX] or "/"


def _note_frontend(request: Any, _: Any, scope: Any) -> None:
    context = scope.get("fastapi", {}).get("effective_route_context")
    request.route = f"{prefix_of(scope)}{getattr(context, 'frontend_prefix', '')}/{{path}}"

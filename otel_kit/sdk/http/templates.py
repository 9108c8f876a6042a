"""The template of a route, from the route itself, and of one that a request did not get to."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any, Final

from otel_kit.sdk.notes import fault

__all__ = ["PREFIX", "find_route", "mount_of", "prefix_of", "template_of"]

#: Key in the scope of the templates of all mounts that a request has passed.
PREFIX: Final = "otel_kit.prefix"
_DEEPEST: Final = 20


def prefix_of(scope: Any) -> str:
    """Templates of the mounts passed so far after the root path that a proxy has cut off."""
    prefix: str | None = scope.get(PREFIX)
    return scope.get("root_path", "").rstrip("/") if prefix is None else prefix


def template_of(route: Any, scope: Any) -> str:
    """The whole template of a route that has matched."""
    # Newer versions of FastAPI keep the prefix of ``include_router`` beside the route.
    context = scope["fastapi"].get("effective_route_context") if "fastapi" in scope else None
    holder: Any = context if getattr(context, "original_route", None) is route else route
    return f"{prefix_of(scope)}{holder.path_format}" or "/"


def mount_of(mount: Any) -> str:
    """The template of a mount."""
    template: str = mount.path_format
    return template.removesuffix("/{path}")


def find_route(scope: Any) -> str | None:
    """The template of a route that has not told it; None where there is none.

    A request that a middleware has answered, or failed, has the one that the router would have found. A class
    of routes may be one of the service, with a way of its own to answer.
    """
    try:
        if "router" in scope:
            taken = scope.get("route")
            if hasattr(taken, "routes"):  # a mount, in which nothing has matched
                return None
            return _whole(prefix_of(scope), getattr(taken, "path_format", None))
        routes = getattr(scope.get("app"), "routes", None)
        return None if routes is None else _find(routes, dict(scope), prefix_of(scope), _DEEPEST)
    except Exception:
        fault("HTTP route")
        return None


def _whole(prefix: str, template: str | None) -> str | None:
    return None if template is None else f"{prefix}{template}" or "/"


def _find(routes: Iterable[Any], scope: dict[str, Any], prefix: str, depth: int) -> str | None:
    partial: str | None = None
    for route in _flat(routes):
        match, child = route.matches(scope)
        if match.name == "NONE":
            continue
        template = getattr(route, "path_format", None)
        inner = getattr(route, "routes", None)
        if inner is not None and depth:  # a mount or a host
            before = prefix if template is None else prefix + mount_of(route)
            return _find(inner, {**scope, **child}, before, depth - 1) or (None if inner else before)
        if match.name == "FULL":
            return _whole(prefix, template)
        partial = partial or template
    return _whole(prefix, partial)


def _flat(routes: Iterable[Any]) -> Iterable[Any]:
    """Newer versions of FastAPI keep included routers as trees."""
    flatten = getattr(sys.modules.get("fastapi.routing"), "iter_route_contexts", None)
    found: Iterable[Any] = routes if flatten is None else flatten(routes)
    return found

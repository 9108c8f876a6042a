"""Which modules are changed to record HTTP requests, as soon as they are imported."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Final

from otel_kit.sdk.imports import when_imported

if TYPE_CHECKING:
    from otel_kit.sdk.http.hook import AsgiHook

__all__ = ["install"]

#: Modules that record requests, too.
RECORDERS: Final = (
    "opentelemetry.instrumentation.asgi",
    "opentelemetry.instrumentation.fastapi",
    "starlette.middleware.opentelemetry",
)


def install(hook: Callable[[], AsgiHook]) -> None:
    """Change them, now or later.

    Args:
        hook: gives what does it, once something is to be changed.
    """
    when_imported("starlette.applications", lambda module: hook().patch_starlette(module))
    when_imported("fastapi.applications", lambda module: hook().patch_fastapi(module))
    for name in ("starlette.routing", "fastapi.routing"):
        when_imported(name, _patch_routes)
    when_imported("starlette.background", _patch_background)
    for name in RECORDERS:
        when_imported(name, lambda module: _stand_in(hook, module))


def _patch_routes(module: ModuleType) -> None:
    from otel_kit.sdk.http.routes import patch_routes

    patch_routes(module)


def _patch_background(module: ModuleType) -> None:
    from otel_kit.sdk.http.afterwards import patch_background

    patch_background(module)


def _stand_in(hook: Callable[[], AsgiHook], module: ModuleType) -> None:
    from otel_kit.sdk.http.contrib import patch

    hook()
    patch(module)

"""Puts `HttpTelemetry` around every Starlette and FastAPI application, whenever it was made or imported.

The class is changed, not the application: a middleware added to one would miss what happens outside of it
(unhandled exceptions, mounts), and an application made before `init()`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from otel_kit.sdk.http.asgi import MARK, HttpTelemetry, unrecorded
from otel_kit.sdk.http.lifespan import lifespan
from otel_kit.sdk.notes import fault
from otel_kit.sdk.patching import replace

if TYPE_CHECKING:
    from otel_kit.sdk.config.http import HttpSettings
    from otel_kit.sdk.lifecycle import Lifecycle

__all__ = ["HOOK", "TELEMETRY", "AsgiHook"]

#: Attribute of an application with the `HttpTelemetry` that is its own; None: it shall not be recorded.
TELEMETRY: Final = "_otel_kit_http"
#: Tells by what else an application is instrumented.
Search = Callable[[Any], "HttpTelemetry | None"]


class AsgiHook:
    """What the changed classes ask; one a process, as the classes are.

    Attributes:
        settings: what the default records; those of the environment before `init()`.
        default: records the applications that have no telemetry of their own; None before `init()`.
        lifecycle: flushed at the end of an ASGI lifespan; None before `init()`.
        search: looks at an application that has no telemetry of its own when its first request comes.
    """

    def __init__(self) -> None:
        self.settings: HttpSettings | None = None
        self.default: HttpTelemetry | None = None
        self.lifecycle: Lifecycle | None = None
        self.search: Search | None = None

    def begin(self, settings: HttpSettings, lifecycle: Lifecycle) -> None:
        """Record the requests to all applications, from now on."""
        self.settings, self.lifecycle = settings, lifecycle
        self.default = HttpTelemetry(settings)

    def patch_starlette(self, module: ModuleType) -> None:
        """`starlette.applications`."""
        replace(module.Starlette, "__call__", self._around)

    def patch_fastapi(self, module: ModuleType) -> None:
        """`fastapi.applications`: its own telemetry begins in ``__call__``; ours has to be around that."""
        if "__call__" in vars(module.FastAPI):
            replace(module.FastAPI, "__call__", self._around)

    def telemetry_of(self, app: Any) -> HttpTelemetry | None:
        """What records `app`; None where nothing does."""
        try:
            own: dict[str, Any] = vars(app)
            if TELEMETRY in own:
                found: HttpTelemetry | None = own[TELEMETRY]
                return found
            found = self.default if self.search is None else self.search(app) or self.default
            if self.search is not None and found is not None:
                own[TELEMETRY] = found
            return found
        except Exception:
            fault("HTTP request")
            return self.default

    def _around(self, original: Callable[..., Any]) -> Callable[..., Any]:
        async def call(app: Any, scope: Any, receive: Any, send: Any) -> None:
            if MARK in scope:
                own: HttpTelemetry | None = vars(app).get(TELEMETRY)
                if own is not None:
                    own.join(scope)
                await original(app, scope, receive, send)
                return
            kind = scope["type"]
            if kind in ("http", "websocket"):
                telemetry = self.telemetry_of(app)
                if telemetry is not None:
                    await telemetry(functools.partial(original, app), scope, receive, send)
                elif TELEMETRY in vars(app):
                    await unrecorded(functools.partial(original, app), scope, receive, send)
                else:
                    await original(app, scope, receive, send)
            elif kind == "lifespan" and self.lifecycle is not None:
                scope[MARK] = None
                await lifespan(self.lifecycle, functools.partial(original, app), scope, receive, send)
            else:
                await original(app, scope, receive, send)

        return call


#: What the classes of this process ask.
HOOK: Final = AsgiHook()

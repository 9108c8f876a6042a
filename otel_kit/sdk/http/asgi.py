"""Records the requests to an ASGI application, from outside of it.

The route is told by the routes themselves (`routes`), so that mounts and routers appear with their full
template, whatever stands between them and here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from opentelemetry import context as context_api
from opentelemetry import trace
from opentelemetry.context import Context

from otel_kit.sdk.config.http import HttpSettings
from otel_kit.sdk.http.attributes import url_of
from otel_kit.sdk.http.instruments import Instruments, Kinds, instruments_of
from otel_kit.sdk.http.observer import Hooks, make_observer
from otel_kit.sdk.http.parent import around
from otel_kit.sdk.http.request import Request
from otel_kit.sdk.http.types import App, Receive, Scope, Send
from otel_kit.sdk.http.websocket import Socket
from otel_kit.sdk.logs.health import under_root
from otel_kit.sdk.notes import fault

__all__ = ["MARK", "ExcludedUrls", "HttpTelemetry", "UrlFilter", "unrecorded"]

#: Key in the scope of what is being recorded; its value is None for what shall not be.
MARK: Final = "otel_kit.request"
#: Keys in the scope by which FastAPI's own telemetry and Starlette's middleware record nothing.
_SILENCED: Final = {"fastapi.telemetry": None, "starlette.opentelemetry": True}
_SUPPRESSED: Final = (
    "suppress_instrumentation",
    context_api._SUPPRESS_INSTRUMENTATION_KEY,
    context_api._SUPPRESS_HTTP_INSTRUMENTATION_KEY,
)


class UrlFilter(Protocol):
    """Tells what is not recorded; `opentelemetry.util.http.ExcludeList` is one."""

    def url_disabled(self, url: str) -> bool:
        """True where `url`, without its query, is left out."""


class ExcludedUrls:
    """Those in which one of some regular expressions is found."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._pattern = re.compile("|".join(f"(?:{one})" for one in patterns))

    def url_disabled(self, url: str) -> bool:
        """True where `url`, without its query, is left out."""
        return self._pattern.search(url) is not None


class HttpTelemetry:
    """Records requests to ASGI applications.

    Args:
        settings: what is recorded.
        hooks: of the service.
        excluded_urls: in the place of those of the settings.
        tracer: the library's by default.
        instruments: the library's by default.

    Raises:
        re.error: a pattern of the settings is no regular expression.
    """

    def __init__(
        self,
        settings: HttpSettings,
        *,
        hooks: Hooks | None = None,
        excluded_urls: UrlFilter | None = None,
        tracer: trace.Tracer | None = None,
        instruments: Instruments | None = None,
    ) -> None:
        self.observer = make_observer(settings, hooks or Hooks())
        self.tracer = tracer or trace.get_tracer("otel_kit.http")
        self.instruments = instruments or instruments_of()
        self.kinds = Kinds(settings.methods, self.instruments.active)
        self._health_routes = settings.health_routes
        self._excluded_urls = excluded_urls
        if excluded_urls is None and settings.excluded_urls:
            self._excluded_urls = ExcludedUrls(settings.excluded_urls)

    async def __call__(self, app: App, scope: Scope, receive: Receive, send: Send) -> None:
        """Call `app` with a request or a WebSocket; what goes wrong in here never changes what it does."""
        request = self._begin(scope, receive, send)
        if request is None:
            await unrecorded(app, scope, receive, send)
            return
        scope.update(_SILENCED)
        scope[MARK] = request
        closed = False
        try:
            await app(scope, request.receive, request.send)
        except BaseException as error:
            closed = isinstance(error, GeneratorExit)
            request.fail(error)
            raise
        finally:
            request.leave(closed=closed)
            scope.pop(MARK, None)  # or server, scope and request would keep each other alive

    def join(self, scope: Scope) -> None:
        """A request that is already recorded comes to where our options hold."""
        request: Request | None = scope[MARK]
        try:
            if request is None or request.telemetry is self:
                return
            if self._excludes(scope, dict(scope["headers"])):
                request.leave_out()
                scope[MARK] = None
            elif self.observer is not None:
                request.join(self.observer, scope)
        except Exception:
            fault("HTTP request")

    def _begin(self, scope: Scope, receive: Receive, send: Send) -> Request | None:
        try:
            headers = scope.get("headers") or ()
            if not isinstance(headers, list):
                scope["headers"] = headers = list(headers)
            names: Mapping[bytes, bytes] = dict(headers)
            current = around()
            if self._leaves_out(scope, names, current):
                return None
            make = Socket if scope["type"] == "websocket" else Request
            return make(self, scope, receive, send, headers, names, current)
        except Exception:
            fault("HTTP request")
            return None

    def _leaves_out(self, scope: Scope, names: Mapping[bytes, bytes], current: Context) -> bool:
        path, root = scope.get("path"), scope.get("root_path")
        if path in self._health_routes:
            return True
        if root and path and path.startswith(root) and path[len(root) :] in self._health_routes:
            under_root(root)
            return True
        if self._excludes(scope, names):
            return True
        return bool(current) and any(current.get(key) for key in _SUPPRESSED)

    def _excludes(self, scope: Scope, names: Mapping[bytes, bytes]) -> bool:
        return self._excluded_urls is not None and self._excluded_urls.url_disabled(url_of(scope, names))


async def unrecorded(app: App, scope: Scope, receive: Receive, send: Send) -> None:
    """Call `app`, and have nobody record it."""
    scope.update(_SILENCED)
    scope[MARK] = None
    try:
        await app(scope, receive, send)
    finally:
        scope.pop(MARK, None)

"""One server span and one duration a request, around a whole ASGI application.

The route is told by the routes themselves (`asgi_hook`), so that mounts and routers appear with their full
template, whatever stands between them and here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import context as context_api
from opentelemetry import metrics, propagate, trace
from opentelemetry.trace import SpanKind, StatusCode

from otel_kit import conventions
from otel_kit.sdk.http.attributes import HEADERS, METHODS, request_attributes
from otel_kit.sdk.notes import quietly
from otel_kit.sdk.spans import record_once, remember
from otel_kit.sdk.text import text_of, type_of

if TYPE_CHECKING:
    from otel_kit.sdk.lifecycle import Lifecycle

__all__ = ["MARK", "HttpTelemetry"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Key in the scope of what is already being recorded.
MARK: Final = "otel_kit.request"
#: FastAPI's own telemetry records nothing where this key is present.
_NATIVE: Final = "fastapi.telemetry"
#: https://opentelemetry.io/docs/specs/semconv/http/http-metrics/#metric-httpserverrequestduration
BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
#: Seconds for which the span of an answered request is open to an error.
ERRORS_WITHIN: Final = 0.1
#: Raised when the other side has gone: no fault of the service.
_GONE: Final = frozenset({"ClientDisconnect", "WebSocketDisconnect", "CancelledError"})


class HttpTelemetry:
    """Records requests to ASGI applications.

    Args:
        health_routes: exact paths that are not recorded.
        lifecycle: flushed at the end of the lifespan.
    """

    def __init__(self, health_routes: frozenset[str], lifecycle: Lifecycle) -> None:
        self._health_routes = health_routes
        self._lifecycle = lifecycle
        self._tracer = trace.get_tracer("otel_kit.http")
        self._duration = metrics.get_meter("otel_kit.http").create_histogram(
            conventions.HTTP_SERVER_DURATION,
            unit="s",
            description="Duration of HTTP server requests.",
            explicit_bucket_boundaries_advisory=BUCKETS,
        )

    async def __call__(self, app: App, scope: Scope, receive: Receive, send: Send) -> None:
        """Call `app`; what goes wrong in here never changes what it does."""
        kind = scope["type"]
        if kind == "lifespan":
            scope[MARK] = _Unrecorded()
            await self._lifespan(app, scope, receive, send)
            return
        if kind not in ("http", "websocket"):
            await app(scope, receive, send)
            return
        scope[_NATIVE] = None
        if scope.get("path") in self._health_routes:
            scope[MARK] = _Unrecorded()
            await app(scope, receive, send)
            return
        request = quietly("HTTP request", lambda: _Request(self._tracer, self._duration, scope))
        scope[MARK] = request or _Unrecorded()
        if request is None:
            await app(scope, receive, send)
            return
        try:
            await app(scope, receive, request.observing(send))
        except BaseException as error:
            request.fail(error)
            raise
        finally:
            request.finish()
            context_api.detach(request.token)

    async def _lifespan(self, app: App, scope: Scope, receive: Receive, send: Send) -> None:
        async def receiving() -> Message:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._lifecycle.resume()
            return message

        async def sending(message: Message) -> None:
            if message["type"] in ("lifespan.shutdown.complete", "lifespan.shutdown.failed"):
                await _in_thread(self._lifecycle.pause)
            await send(message)

        await app(scope, receiving, sending)


async def _in_thread(work: Callable[[], None]) -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:  # trio
        quietly("flush", work)
        return
    await asyncio.to_thread(quietly, "flush", work)


class _Unrecorded:
    """Stands for a request of which nothing is recorded."""

    route: str | None = None


class _Request:
    """One request or WebSocket from its arrival to the end of its response.

    Attributes:
        route: the template that it matched, noted by whatever matched it; None where nothing did.
        error: what the application raised.
    """

    def __init__(self, tracer: trace.Tracer, duration: metrics.Histogram, scope: Scope) -> None:
        self.route: str | None = None
        self.error: BaseException | None = None
        self._duration = duration
        self._status: int | None = None
        self._finished = False
        self._took: float | None = None
        self._end: int | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._websocket = scope["type"] == "websocket"
        self._attributes = request_attributes(scope)
        parent = propagate.extract(scope.get("headers", []), getter=HEADERS)
        self._span = tracer.start_span(
            self._method, context=parent, kind=SpanKind.SERVER, attributes=self._attributes
        )
        self._begin = time.perf_counter()
        self._context = trace.set_span_in_context(self._span, parent)
        self.token = context_api.attach(self._context)

    @property
    def _method(self) -> str:
        method = str(self._attributes["http.request.method"])
        return method if method in METHODS else "HTTP"

    def fail(self, error: BaseException) -> None:
        """The application has raised `error`."""
        self.error = error
        remember(self._span, error)

    def observing(self, send: Send) -> Send:
        """`send`, with an eye on status and end of the response."""

        async def observed(message: Message) -> None:
            kind = message["type"]
            if kind in ("http.response.start", "websocket.http.response.start"):
                self._status = message["status"]
            elif kind == "websocket.accept":
                self._status = 101
            elif kind == "websocket.close" and self._status is None:
                self._status = 403  # what a server answers to a handshake that was not accepted
            await send(message)
            if kind == "http.response.body" and not message.get("more_body"):
                self._answered()

        return observed

    def _answered(self) -> None:
        """The response is complete; what comes still is background work, or an error that it already told of.

        Such an error arrives at once, so the span waits for it; background work may take minutes.
        """
        self._took = time.perf_counter() - self._begin
        self._end = time.time_ns()
        try:
            self._timer = asyncio.get_running_loop().call_later(ERRORS_WITHIN, self.finish)
        except RuntimeError:  # trio
            self.finish()

    def finish(self) -> None:
        """Record and end; only the first call does something."""
        if not self._finished:
            self._finished = True
            if self._timer is not None:
                self._timer.cancel()
            quietly("HTTP response", self._finish)

    def _finish(self) -> None:
        took = time.perf_counter() - self._begin if self._took is None else self._took
        attributes: dict[str, str | int] = {
            "http.request.method": self._attributes["http.request.method"],
            "url.scheme": self._attributes["url.scheme"],
        }
        try:
            if self.route is not None:
                attributes["http.route"] = self.route
                self._span.update_name(f"{self._method} {self.route}")
            self._conclude(attributes)
            if not self._websocket:  # how long a socket stays open is no latency
                self._duration.record(took, attributes, context=self._context)
            self._span.set_attributes(attributes)
        finally:
            self._span.end(self._end)

    def _conclude(self, attributes: dict[str, str | int]) -> None:
        error, status = self.error, self._status
        if error is not None and type(error).__name__ in _GONE:
            attributes["error.type"] = type(error).__name__
        elif error is not None:
            attributes["error.type"] = type_of(error)
            status = status or (None if self._websocket else 500)
            record_once(self._span, error)
            self._span.set_status(StatusCode.ERROR, text_of(error))
        elif status is not None and status >= 500:
            attributes["error.type"] = str(status)
            self._span.set_status(StatusCode.ERROR)
        if status is not None:
            attributes["http.response.status_code"] = status

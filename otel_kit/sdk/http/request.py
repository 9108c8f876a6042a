"""One request: its span and its measurements, from its arrival to the end of its response.

What is called for each message is as short as it can be, and nothing in here can fail the request.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from opentelemetry import context as context_api
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation import _SPAN_KEY

from otel_kit.sdk.http.afterwards import record_late
from otel_kit.sdk.http.attributes import request_attributes
from otel_kit.sdk.http.errors import alone, error_type, is_gone
from otel_kit.sdk.http.headers import length_of
from otel_kit.sdk.http.linger import linger
from otel_kit.sdk.http.parent import judged, parent_of
from otel_kit.sdk.http.progress import PROGRESS, task_left_by
from otel_kit.sdk.http.proxies import asked_of, scheme_of
from otel_kit.sdk.http.templates import find_route
from otel_kit.sdk.notes import fault
from otel_kit.sdk.spans import record_once, remember, unsample
from otel_kit.sdk.text import text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_kit.sdk.http.asgi import HttpTelemetry
    from otel_kit.sdk.http.headers import Headers
    from otel_kit.sdk.http.instruments import Conclusion
    from otel_kit.sdk.http.observer import Observer
    from otel_kit.sdk.http.progress import Progress
    from otel_kit.sdk.http.types import Message, Receive, Scope, Send

__all__ = ["Request"]


class Request:
    """What is being recorded.

    Attributes:
        route: the template that has matched; whatever matches notes it. None where nothing did.
        matched: the route itself.
        telemetry: records it.
        span: of kind SERVER, and current while the application runs.
        answered_at: when the response was complete, by `time.perf_counter`; 0 before.
    """

    # What most requests have; an instance holds only what differs.
    route: str | None = None
    matched: Any = None
    answered_at = 0.0
    _error: BaseException | None = None
    _status: int | None = None
    _end: int | None = None
    _lingering: dict[Any, None] | None = None
    _active = _finished = _disconnected = _trailers = _left_out = False
    _received = _sent = 0
    _start: Message | None = None
    _scheme = "http"
    _observers: tuple[Observer, ...] = ()

    def __init__(
        self,
        telemetry: HttpTelemetry,
        scope: Scope,
        receive: Receive,
        send: Send,
        headers: Headers,
        names: Mapping[bytes, bytes],
        current: Context,
    ) -> None:
        self.telemetry = telemetry
        self._scope, self._receive, self._send = scope, receive, send
        self._expected = names.get(b"content-length")
        scheme, asked = scope.get("scheme") or self._scheme, asked_of(names)
        if asked is not None:
            scheme = scheme_of(scheme, asked)
        self._kind = kind = telemetry.kinds.get(scope.get("method", "GET"), scheme, scope.get("http_version"))
        try:
            parent, links = parent_of(headers, names, current), None
            if parent is not current:
                parent, links = judged(parent, current, scope, names)
        except Exception:
            fault("HTTP request")
            parent, links = current, None
        self.span = telemetry.tracer.start_span(
            kind.name,
            parent,
            SpanKind.SERVER,
            request_attributes(scope, names, kind.method, kind.scheme, asked),
            links,
        )
        self._around = parent
        progress: Progress = {"tracer": telemetry.tracer, "over": False, "failed": None}
        self._progress = progress
        self._context = context = Context({**parent, _SPAN_KEY: self.span, PROGRESS: progress})
        self._begin = time.perf_counter()
        kind.active.append(None)
        self._active = True
        self._token = context_api.attach(context)
        if telemetry.observer is not None:
            self.join(telemetry.observer, scope)

    def join(self, observer: Observer, scope: Scope) -> None:
        """Let one more look on from now on."""
        if observer not in self._observers:
            self._observers = (*self._observers, observer)
            try:
                observer.begun(self.span, scope)
            except Exception:
                fault("HTTP request")

    def leave_out(self) -> None:
        """An application within is not to be recorded: the span, which has begun, is not exported."""
        self._left_out = True
        context_api.attach(self._around)  # until we detach our own
        unsample(self.span)

    async def receive(self) -> Message:
        """In the place of the server's."""
        message = await self._receive()
        try:
            kind = message["type"]
            if kind == "http.request":
                self._received += len(message.get("body") or b"")
            else:
                self._hear(kind, message)
            for observer in self._observers:
                observer.received(self.span, self._scope, message)
        except Exception:
            fault("HTTP request")
        return message

    async def send(self, message: Message) -> None:
        """In the place of the server's."""
        last = False
        try:
            kind = message["type"]
            if kind == "http.response.body":
                self._sent += len(message.get("body") or b"")
                last = not (message.get("more_body") or self._trailers)
            elif kind == "http.response.start":
                self._status = int(message["status"])  # it may be an HTTPStatus
                self._trailers = bool(message.get("trailers"))
                self._start = message
            else:
                last = self._look_at(kind, message)
            for observer in self._observers:
                observer.sent(self.span, self._scope, message)
        except Exception:
            fault("HTTP response")
        if last:  # a server may begin the next request of the connection in here
            self._progress["over"] = True
        try:
            await self._send(message)
        except OSError:  # by ASGI, what a server raises when the client has gone
            self._disconnected = True
            raise
        if last:
            self._answered()

    def _hear(self, kind: str, _: Message) -> None:
        """A message from the client that is no part of the body."""
        if kind == "http.disconnect":
            self._disconnected = True

    def _look_at(self, kind: str, message: Message) -> bool:
        """True for the last message of a response."""
        if kind == "http.response.trailers":
            return not message.get("more_trailers")
        if kind in ("http.response.pathsend", "http.response.zerocopysend"):  # the server reads the file
            self._sent = length_of((self._start or {}).get("headers") or ())
            return not message.get("more_body")
        return False

    def _answered(self) -> None:
        """The response is complete: what comes now is background work, or an error that it has told of."""
        if self._end is not None:
            return
        self.answered_at = time.perf_counter()
        self._end = time.time_ns()
        try:
            self._no_longer_active()
            self._lingering = linger(self)
        except Exception:
            fault("HTTP response")

    def fail(self, error: BaseException) -> None:
        """The application has raised `error`."""
        try:
            cause = alone(error)
            answered = self._end is not None and (self._status or 0) < 500
            task = task_left_by(cause, self._progress) if answered else None
            if task is not None:
                remember(task, error)
            elif not self._finished:
                self._error = cause
                remember(self.span, error)
            elif not (self._left_out or is_gone(cause, disconnected=self._disconnected)):
                record_late(self.telemetry.tracer, self._context, self._end, error)
        except Exception:
            fault("HTTP error")

    def leave(self, *, closed: bool) -> None:
        """The application has returned.

        Args:
            closed: it was a coroutine that is thrown away, in a context that need not be its own.
        """
        self.finish()
        if not closed:
            context_api.detach(self._token)
        self._error = None  # its traceback has this request in it

    def finish(self) -> None:
        """Record and end; only the first call does something."""
        if self._finished:
            return
        self._finished = True
        if self._lingering is not None:
            self._lingering.pop(self, None)
        try:
            self._no_longer_active()
            if not self._left_out:
                self._finish()
        except Exception:
            fault("HTTP response")
        finally:
            try:
                self.span.end(self._end)
            except Exception:
                fault("span of HTTP")

    def _no_longer_active(self) -> None:
        if self._active:
            self._active = False
            active = self._kind.active
            if active:  # a child process forgets those of its parent
                active.pop()

    def _finish(self) -> None:
        took = (self.answered_at or time.perf_counter()) - self._begin
        said = self._said(self._conclude())
        span = self.span
        if span.is_recording():
            # It may have the name that the service gave it.
            if said.name and getattr(span, "name", self._kind.name) == self._kind.name:
                span.update_name(said.name)
            for key, value in said.of_span.items():
                span.set_attribute(key, value)
        self._measure(took, said.of_metrics)

    def _said(self, error: str | None) -> Conclusion:
        if self.route is None:
            self.route = find_route(self._scope)
        return self._kind.conclusion(self.route, self._status, error)

    def _measure(self, took: float, attributes: dict[str, str | int]) -> None:
        instruments, context = self.telemetry.instruments, self._context
        instruments.duration.record(took, attributes, context)
        sent = 0 if self._kind.method == "HEAD" else self._sent  # servers leave out what applications send
        instruments.response_size.record(sent, attributes, context)
        size = self._received if self._expected is None else int(self._expected)
        if size:
            instruments.request_size.record(size, attributes, context)

    def _conclude(self) -> str | None:
        """Status and event of an error; the value of ``error.type``."""
        error, status = self._error, self._status
        if error is None:
            if status is None:
                return self._unanswered()
            if status < 500:
                return None
            self.span.set_status(StatusCode.ERROR)
            return str(status)
        if is_gone(error, disconnected=self._disconnected):
            if status is not None and status >= 500:
                self._status = None  # what became of the error, with nobody to see it
            elif self.answered_at:
                return None
            return error_type(error)
        if status is None:
            self._status = 500
        self.span.set_status(StatusCode.ERROR, text_of(error))
        record_once(self.span, error)
        return error_type(error)

    def _unanswered(self) -> str:
        """The application has returned without a response: servers answer 500, if anyone is there to hear."""
        if self._disconnected:
            return "ClientDisconnect"
        self._status = 500
        self.span.set_status(StatusCode.ERROR, "the application returned without a response")
        return "incomplete_response"

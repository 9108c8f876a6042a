"""What an application has asked for besides the span: its hooks are called, its headers recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from opentelemetry.trace import Span

from otel_kit.sdk.config.http import HttpSettings
from otel_kit.sdk.http.headers import HeaderCapture
from otel_kit.sdk.http.types import Message, Scope
from otel_kit.sdk.notes import quietly

__all__ = ["Hook", "Hooks", "Observer", "make_observer"]

Hook = Callable[..., Any]
#: The messages that carry the headers of a response.
_FIRST: Final = frozenset({"http.response.start", "websocket.accept", "websocket.http.response.start"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """Functions of the service.

    Attributes:
        on_request: called with the span and the scope.
        on_receive: called with the span, the scope and a message that the application received.
        on_send: called with the span, the scope and a message that the application sends.
        on_response: called with the span and the first message of the response, which it may change.
    """

    on_request: Hook | None = None
    on_receive: Hook | None = None
    on_send: Hook | None = None
    on_response: Hook | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    """Sees a request and its messages; nothing that goes wrong in a hook leaves this class.

    Attributes:
        request_headers: recorded when the request arrives.
        response_headers: recorded when the response begins.
        hooks: called in addition.
    """

    request_headers: HeaderCapture | None = None
    response_headers: HeaderCapture | None = None
    hooks: Hooks = Hooks()

    def begun(self, span: Span, scope: Scope) -> None:
        """The request has arrived."""
        if self.request_headers is not None and span.is_recording():
            _set(span, self.request_headers, scope)
        if self.hooks.on_request is not None:
            _call(self.hooks.on_request, span, scope)

    def received(self, span: Span, scope: Scope, message: Message) -> None:
        """The application has received `message`."""
        if self.hooks.on_receive is not None:
            _call(self.hooks.on_receive, span, scope, message)

    def sent(self, span: Span, scope: Scope, message: Message) -> None:
        """The application sends `message`."""
        if self.response_headers is not None and message.get("headers") and span.is_recording():
            _set(span, self.response_headers, message)
        if self.hooks.on_response is not None and message["type"] in _FIRST:
            _call(self.hooks.on_response, span, message)
        if self.hooks.on_send is not None:
            _call(self.hooks.on_send, span, scope, message)


def make_observer(settings: HttpSettings, hooks: Hooks) -> Observer | None:
    """None where there is nothing to do."""
    sanitized = settings.sanitized_headers
    observer = Observer(
        request_headers=_capture("http.request.header.", settings.request_headers, sanitized),
        response_headers=_capture("http.response.header.", settings.response_headers, sanitized),
        hooks=hooks,
    )
    return None if observer == Observer() else observer


def _capture(prefix: str, wanted: Sequence[str], sanitized: Sequence[str]) -> HeaderCapture | None:
    return HeaderCapture(prefix, wanted, sanitized) if wanted else None


def _set(span: Span, capture: HeaderCapture, carrier: Message) -> None:
    found = quietly("HTTP headers", lambda: capture.attributes(carrier.get("headers") or ()))
    if found:
        span.set_attributes(found)


def _call(hook: Hook, *args: Any) -> None:
    """A hook may be a coroutine function by mistake: what it gives is closed, not left for a warning."""
    result = quietly("hook of HTTP", lambda: hook(*args))
    if asyncio.iscoroutine(result):
        result.close()

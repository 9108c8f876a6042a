"""Those who call OpenTelemetry's own instrumentation of FastAPI or ASGI get our engine, with their options.

An application that instruments itself keeps its hooks, excluded URLs, header lists and providers, and each
request is recorded once. ``exclude_spans`` has no spans to leave out, since there are none of single
messages; as with the original, the hook of an excluded kind is not called.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from types import ModuleType
from typing import Any, Final

from opentelemetry import metrics, trace
from opentelemetry.context import Context

from otel_kit.sdk.config.environment import Environment
from otel_kit.sdk.config.http import HttpSettings, resolve_http
from otel_kit.sdk.http.asgi import MARK, HttpTelemetry
from otel_kit.sdk.http.hook import HOOK, TELEMETRY
from otel_kit.sdk.http.instruments import instruments_of
from otel_kit.sdk.http.observer import Hook, Hooks
from otel_kit.sdk.notes import LOGGER, quietly
from otel_kit.sdk.patching import replace

__all__ = ["instrument_app", "patch"]

Make = Callable[[Any], HttpTelemetry]
_INSTRUMENTED: Final = "_is_instrumented_by_opentelemetry"
#: A middleware of contrib's that records errors on the span of the request, also those of background tasks.
_OF_ERRORS: Final = "opentelemetry.instrumentation.fastapi.ExceptionHandlerMiddleware"
#: What the API has for the global provider before that is set.
_PROXIES: Final = frozenset({"ProxyTracer", "_ProxyMeter"})
#: Middlewares that record requests, and what makes our telemetry of one.
_recorders: Final[dict[type, Make]] = {}


def patch(module: ModuleType) -> None:
    """Stand in for what `module`, one that records requests to ASGI applications, defines."""
    if module.__name__ == "opentelemetry.instrumentation.fastapi":
        replace(module.FastAPIInstrumentor, "instrument_app", lambda _: instrument_app)
        replace(module.FastAPIInstrumentor, "uninstrument_app", _uninstrumenting)
    elif module.__name__ == "opentelemetry.instrumentation.asgi":
        _stand_in(module.OpenTelemetryMiddleware, _of_contrib)
    else:
        _stand_in(module.OpenTelemetryMiddleware, _of_starlette)


def instrument_app(
    app: Any,
    server_request_hook: Hook | None = None,
    client_request_hook: Hook | None = None,
    client_response_hook: Hook | None = None,
    tracer_provider: trace.TracerProvider | None = None,
    meter_provider: metrics.MeterProvider | None = None,
    excluded_urls: str | None = None,
    http_capture_headers_server_request: Sequence[str] | None = None,
    http_capture_headers_server_response: Sequence[str] | None = None,
    http_capture_headers_sanitize_fields: Sequence[str] | None = None,
    exclude_spans: Collection[str] | None = None,
    **unknown: Any,
) -> None:
    """Record the requests to `app` with these options, which are those of contrib's ``instrument_app``.

    Args:
        app: a FastAPI or Starlette application.
        server_request_hook: called with the span and the scope of each request.
        client_request_hook: called with the span, the scope and each message that the application receives.
        client_response_hook: called with the span, the scope and each message that the application sends.
        tracer_provider: in the place of the global one.
        meter_provider: in the place of the global one.
        excluded_urls: regular expressions separated by commas, in the place of those of the environment.
        http_capture_headers_server_request: names of headers to record, as regular expressions.
        http_capture_headers_server_response: the same for responses.
        http_capture_headers_sanitize_fields: regular expressions for headers without their value.
        exclude_spans: ``receive`` and ``send``: their hooks are not called.
        unknown: options of later versions, which are left out.
    """
    if vars(app).get(_INSTRUMENTED):
        LOGGER.warning("otel-kit: an application is instrumented a second time; the first time counts")
        return
    if unknown:
        LOGGER.warning("otel-kit: unknown options of instrument_app are left out: %s", ", ".join(unknown))
    settings = _settings(
        excluded_urls=None if excluded_urls is None else _words(excluded_urls),
        request_headers=http_capture_headers_server_request or None,
        response_headers=http_capture_headers_server_response or None,
        sanitized_headers=http_capture_headers_sanitize_fields or None,
    )
    hooks = _hooks(server_request_hook, client_request_hook, client_response_hook, exclude_spans or ())
    vars(app)[TELEMETRY] = HttpTelemetry(
        settings,
        hooks=hooks,
        tracer=trace.get_tracer("otel_kit.http", tracer_provider=tracer_provider),
        instruments=instruments_of(meter_provider),
    )
    vars(app)[_INSTRUMENTED] = True
    _instrumented().add(app)


def _uninstrumenting(original: Callable[..., Any]) -> Callable[..., Any]:
    def uninstrument_app(app: Any) -> None:
        """Record no more requests to `app`."""
        if "_original_build_middleware_stack" in vars(app):  # instrumented before us
            original(app)
        vars(app).pop(TELEMETRY, None)
        if HOOK.default is not None:  # which would record it
            vars(app)[TELEMETRY] = None
        vars(app)[_INSTRUMENTED] = False
        _instrumented().discard(app)

    return uninstrument_app


def _instrumented() -> Any:
    """The applications that ``FastAPIInstrumentor().uninstrument()`` goes through."""
    from opentelemetry.instrumentation.fastapi import _InstrumentedFastAPI

    return _InstrumentedFastAPI._instrumented_fastapi_apps


def _settings(**given: Any) -> HttpSettings:
    """Those of `init`, or of the environment where it was not called, with what the application has given."""
    settings = HOOK.settings or resolve_http(Environment(os.environ), health_routes=())
    changes: dict[str, Any] = {name: tuple(value) for name, value in given.items() if value is not None}
    return dataclasses.replace(settings, **changes)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _hooks(
    on_request: Hook | None, on_receive: Hook | None, on_send: Hook | None, without: Collection[str]
) -> Hooks:
    return Hooks(
        on_request=on_request,
        on_receive=None if "receive" in without else on_receive,
        on_send=None if "send" in without else on_send,
        on_response=_respond,
    )


def _respond(span: trace.Span, message: Any) -> None:
    """Tell the client of the span, where a response propagator is set."""
    propagators = sys.modules.get("opentelemetry.instrumentation.propagators")
    asgi = sys.modules.get("opentelemetry.instrumentation.asgi")
    propagator = propagators and propagators.get_global_response_propagator()
    if propagator and asgi:
        context = trace.set_span_in_context(span, Context())
        propagator.inject(message, context=context, setter=asgi.asgi_setter)


def _stand_in(kind: type, make: Make) -> None:
    """Record what middlewares of this kind would."""

    def around(_: Callable[..., Any]) -> Callable[..., Any]:
        async def call(middleware: Any, scope: Any, receive: Any, send: Any) -> None:
            telemetry = _telemetry_of(middleware, make) if scope["type"] in ("http", "websocket") else None
            if telemetry is None:
                await middleware.app(scope, receive, send)
            elif MARK not in scope:
                await telemetry(middleware.app, scope, receive, send)
            else:
                telemetry.join(scope)
                await middleware.app(scope, receive, send)

        return call

    replace(kind, "__call__", around)
    _recorders[kind] = make
    HOOK.search = _search


def _telemetry_of(middleware: Any, make: Make) -> HttpTelemetry | None:
    """Made once a middleware; where its options cannot be used, the one of `init`."""
    kept = vars(middleware)
    if TELEMETRY not in kept:
        kept[TELEMETRY] = quietly("options of a middleware", lambda: make(middleware)) or HOOK.default
    found: HttpTelemetry | None = kept[TELEMETRY]
    return found


def _search(app: Any) -> HttpTelemetry | None:
    """The telemetry of a middleware in `app` that records requests: its options hold for all of it."""
    return quietly("search for middlewares", lambda: _first(app))


def _first(app: Any) -> HttpTelemetry | None:
    if app.middleware_stack is None:
        app.middleware_stack = app.build_middleware_stack()
    layers = list(_layers(app.middleware_stack))
    for layer in layers:
        inner = getattr(layer, "app", None)
        if inner is not None and f"{type(inner).__module__}.{type(inner).__name__}" == _OF_ERRORS:
            layer.app = inner.app
    found = (
        (layer, make) for layer in layers for kind, make in _recorders.items() if isinstance(layer, kind)
    )
    return next((_telemetry_of(layer, make) for layer, make in found), None)


def _layers(stack: Any) -> Iterator[Any]:
    for _ in range(1000):  # an application may contain itself
        if stack is None:
            return
        yield stack
        stack = getattr(stack, "app", None)


def _of_contrib(middleware: Any) -> HttpTelemetry:
    without = {kind for kind in ("receive", "send") if getattr(middleware, f"exclude_{kind}_span", False)}
    sanitize = middleware.http_capture_headers_sanitize_fields
    return HttpTelemetry(
        _settings(
            request_headers=middleware.http_capture_headers_server_request,
            response_headers=middleware.http_capture_headers_server_response,
            sanitized_headers=getattr(sanitize, "_sanitized_fields", ()),
        ),
        hooks=_hooks(
            _with_details(middleware.default_span_details, middleware.server_request_hook),
            middleware.client_request_hook,
            middleware.client_response_hook,
            without,
        ),
        excluded_urls=middleware.excluded_urls,
        tracer=_foreign(
            middleware.tracer, trace.get_tracer_provider(), "span_processor", "_active_span_processor"
        ),
        instruments=instruments_of(
            meter=_foreign(middleware.meter, metrics.get_meter_provider(), "_measurement_consumer")
        ),
    )


def _with_details(details: Callable[[Any], tuple[str, Any]], then: Hook | None) -> Hook | None:
    """A hook that gives the span the name and attributes which a function of the service wants."""
    if getattr(details, "__module__", "").startswith("opentelemetry."):
        return then

    def begun(span: trace.Span, scope: Any) -> None:
        name, attributes = details(scope)
        span.update_name(name)
        span.set_attributes(attributes)
        if then is not None:
            then(span, scope)

    return begun


def _foreign(source: Any, provider: Any, *names: str) -> Any:
    """The tracer or meter of a middleware, or None where it is of the global provider: then ours does.

    Args:
        source: the tracer or meter.
        provider: the global one.
        names: of what a provider gives all its own; the last one is that of the provider.
    """
    given = getattr(source, names[0], source)
    of_global = type(source).__name__ in _PROXIES or given is getattr(provider, names[-1], None)
    return None if of_global else source


def _of_starlette(middleware: Any) -> HttpTelemetry:
    return HttpTelemetry(
        _settings(excluded_urls=[pattern.pattern for pattern in middleware._excluded_urls]),
        tracer=trace.get_tracer("otel_kit.http", tracer_provider=middleware._tracer_provider),
        instruments=instruments_of(middleware._meter_provider),
    )

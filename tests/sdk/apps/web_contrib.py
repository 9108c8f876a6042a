"""Applications that instrument themselves, in the ways in which that is done, beside `otel_kit.init()`.

``ORDER=after`` instruments the first one only when otel-kit runs already.
"""

from __future__ import annotations

import os
from typing import Any

from fastapi import BackgroundTasks, FastAPI
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from starlette.applications import Starlette
from starlette.middleware.opentelemetry import OpenTelemetryMiddleware as StarlettesMiddleware
from starlette.testclient import TestClient

import otel_kit

HEADERS = {"x-tenant": "acme", "authorization": "Bearer s3cret", "x-internal": "s3cret"}
CAPTURE: dict[str, Any] = {
    "http_capture_headers_server_request": ["x-.*", "authorization"],
    "http_capture_headers_server_response": ["content-type"],
    "http_capture_headers_sanitize_fields": ["internal"],
}


def hooks(name: str) -> dict[str, Any]:
    """Hooks that leave a mark on the span."""
    return {
        "server_request_hook": lambda span, scope: span.set_attribute("on_request", name + scope["path"]),
        "client_request_hook": lambda span, _, message: span.set_attribute("on_receive", message["type"]),
        "client_response_hook": lambda span, _, message: span.set_attribute("on_send", message["type"]),
    }


def broken(*_: Any) -> None:
    """A hook that fails."""
    raise RuntimeError("hook")


def application() -> FastAPI:
    """One with two routes."""
    app = FastAPI()
    app.add_api_route("/things/{thing}", echo, methods=["POST"])
    app.add_api_route("/internal/{thing}", echo, methods=["POST"])
    app.add_api_route("/later", later, methods=["POST"])
    return app


async def echo(thing: str, body: dict[str, str]) -> dict[str, str]:
    """What was sent."""
    return {"thing": thing, **body}


async def later(tasks: BackgroundTasks) -> None:
    """Answer, and fail then."""
    tasks.add_task(broken)


def ask(app: Any, name: str, path: str = "/things/1") -> None:
    """One request, told apart by its user agent."""
    client = TestClient(app, raise_server_exceptions=False)
    client.post(path, json={"a": "b"}, headers={**HEADERS, "user-agent": name})


def main() -> None:
    """All ways, a request each."""
    by_call, hidden = application(), application()
    if os.environ["ORDER"] == "before":
        FastAPIInstrumentor.instrument_app(by_call, excluded_urls="internal", **hooks("by_call"), **CAPTURE)
    otel_kit.init(service="contrib", logs="none")
    if os.environ["ORDER"] == "after":
        FastAPIInstrumentor.instrument_app(by_call, excluded_urls="internal", **hooks("by_call"), **CAPTURE)
    ask(by_call, "by_call")
    ask(by_call, "by_call", "/internal/1")
    ask(by_call, "later", "/later")

    by_middleware = application()
    by_middleware.add_middleware(
        OpenTelemetryMiddleware, excluded_urls="internal", **hooks("by_middleware"), **CAPTURE
    )
    ask(by_middleware, "by_middleware")
    ask(by_middleware, "by_middleware", "/internal/1")

    ask(OpenTelemetryMiddleware(application(), **hooks("around")), "around")
    named = OpenTelemetryMiddleware(application(), default_span_details=lambda _: ("named", {"mine": 1}))
    ask(named, "named")
    ask(StarlettesMiddleware(application()), "around_starlettes")
    by_starlettes = application()
    by_starlettes.add_middleware(StarlettesMiddleware, excluded_urls=["internal"])
    ask(by_starlettes, "by_starlettes")
    ask(by_starlettes, "by_starlettes", "/internal/1")

    mounted = application()
    FastAPIInstrumentor.instrument_app(mounted, excluded_urls="internal", **hooks("mounted"))
    outer = Starlette()
    outer.mount("/outer", mounted)
    outer.mount("/middleware", by_middleware)
    ask(outer, "mounted", "/outer/things/1")
    for part in ("outer", "middleware"):
        ask(outer, "excluded_where_it_is_mounted", f"/{part}/internal/1")

    failing = application()
    FastAPIInstrumentor.instrument_app(
        failing, server_request_hook=broken, client_request_hook=broken, client_response_hook=broken
    )
    ask(failing, "failing_hooks")

    FastAPIInstrumentor.instrument_app(hidden)
    FastAPIInstrumentor.uninstrument_app(hidden)
    ask(hidden, "uninstrumented")
    ask(application(), "plain")


if __name__ == "__main__":
    main()

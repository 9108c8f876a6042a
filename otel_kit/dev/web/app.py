"""Put the parts together into one ASGI application."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware

from otel_kit.dev.store.database import Database
from otel_kit.dev.store.retention import Retention
from otel_kit.dev.store.writer import Writer
from otel_kit.dev.web.dashboards import dashboard_routes
from otel_kit.dev.web.guard import Guard
from otel_kit.dev.web.management import fallback_route, validate_route
from otel_kit.dev.web.monitors import monitor_routes
from otel_kit.dev.web.otlp import otlp_routes
from otel_kit.dev.web.page import page_routes
from otel_kit.dev.web.query import query_route
from otel_kit.dev.web.rate_limits import RateLimits
from otel_kit.dev.web.read_api import read_routes

__all__ = ["create_app"]

Lifespan = Callable[[Any], AbstractAsyncContextManager[None]]


def create_app(database: Database, *, keep: int, lifespan: Lifespan) -> Starlette:
    """The application over an open database; `lifespan` starts and stops what runs beside it."""
    writer = Writer(database, Retention(database, keep))
    limits = RateLimits()
    routes = [
        *otlp_routes(writer),
        *read_routes(database),
        validate_route(limits),
        *monitor_routes(database, limits),
        *dashboard_routes(database, limits),
        query_route(database, limits),
        fallback_route(),
        *page_routes(),
    ]
    return Starlette(routes=routes, middleware=[Middleware(Guard)], lifespan=lifespan)

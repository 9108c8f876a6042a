"""What to record of HTTP requests, from variables that OpenTelemetry's own instrumentations read as well."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from otel_kit.sdk.config.environment import Environment

__all__ = ["HEALTH_ROUTES", "METHODS", "HttpSettings", "resolve_http"]

HEALTH_ROUTES: Final = ("/health", "/healthz", "/livez", "/readyz", "/startupz", "/ping")
#: https://opentelemetry.io/docs/specs/semconv/registry/attributes/http/ (``http.request.method``)
METHODS: Final = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"}
)
_CAPTURE: Final = "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """What is recorded of requests.

    Attributes:
        health_routes: exact paths that are not recorded.
        excluded_urls: regular expressions; a URL in which one is found is not recorded.
        request_headers: regular expressions for whole names of headers to record.
        response_headers: the same for the answer.
        sanitized_headers: regular expressions; a header in whose name one is found loses its value.
        methods: those that are recorded by name; all others are ``_OTHER``.
    """

    health_routes: frozenset[str] = frozenset()
    excluded_urls: tuple[str, ...] = ()
    request_headers: tuple[str, ...] = ()
    response_headers: tuple[str, ...] = ()
    sanitized_headers: tuple[str, ...] = ()
    methods: frozenset[str] = METHODS


def resolve_http(env: Environment, health_routes: Sequence[str] | None = None) -> HttpSettings:
    """The settings of this process.

    Args:
        env: the environment.
        health_routes: the argument of `init`.
    """
    from_environment = env.words("OTEL_KIT_HEALTH_ROUTES", HEALTH_ROUTES, refuse=_no_route)
    health_routes = env.given("health_routes", health_routes, from_environment)
    excluded = "OTEL_PYTHON_FASTAPI_EXCLUDED_URLS"
    if env.find(excluded) is None:
        excluded = "OTEL_PYTHON_EXCLUDED_URLS"
    return HttpSettings(
        health_routes=frozenset(health_routes),
        excluded_urls=_patterns(env, excluded),
        request_headers=_patterns(env, _CAPTURE + "SERVER_REQUEST"),
        response_headers=_patterns(env, _CAPTURE + "SERVER_RESPONSE"),
        sanitized_headers=_patterns(env, _CAPTURE + "SANITIZE_FIELDS"),
        methods=frozenset(env.words("OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS", sorted(METHODS))),
    )


def _patterns(env: Environment, variable: str) -> tuple[str, ...]:
    return tuple(env.words(variable, (), refuse=_no_regex))


def _no_route(path: str) -> str:
    return "" if path.startswith("/") else "begin each route with /"


def _no_regex(word: str) -> str:
    try:
        re.compile(word)
    except (re.error, OverflowError, RecursionError) as error:
        return f"write a regular expression ({error})"
    return ""

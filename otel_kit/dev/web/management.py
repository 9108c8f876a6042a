"""/api: keys, rate limits, JSON bodies and error bodies, the same for every call of Datadog's API."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from otel_kit.dev.errors import Refusal
from otel_kit.dev.numbers import finite
from otel_kit.dev.web.body import read_body
from otel_kit.dev.web.rate_limits import RateLimits

__all__ = ["Call", "api_route", "fallback_route", "validate_route"]

_BODY_BYTES: Final = 5_000_000


@dataclass(frozen=True, slots=True)
class Call:
    """One request, read: query parameters, path parameters and the JSON body (None without one)."""

    query: dict[str, str]
    path: dict[str, Any]
    body: Any

    def object_body(self) -> dict[str, Any]:
        """The body, which must be a JSON object."""
        if not isinstance(self.body, dict):
            raise Refusal(400, "The request body must be a JSON object")
        return self.body


Handler = Callable[[Call], Any]


def api_route(
    path: str, handlers: Mapping[str, Handler], limits: RateLimits, *, name: str, application_key: bool = True
) -> Route:
    """A route whose handlers run in a thread and answer JSON, or nothing with 204 for None."""

    async def endpoint(request: Request) -> Response:
        within, headers = limits.take(f"{name}_{request.method.lower()}")
        try:
            _check_keys(request, application_key=application_key)
            if not within:
                raise Refusal(429, "Rate limit of requests reached")
            call = Call(dict(request.query_params), request.path_params, await _json(request))
            found = await run_in_threadpool(handlers[request.method], call)
        except Refusal as refusal:
            return JSONResponse({"errors": [refusal.message]}, status_code=refusal.status, headers=headers)
        if found is None:
            return Response(status_code=204, headers=headers)
        return JSONResponse(found, headers=headers)

    return Route(path, endpoint, methods=sorted(handlers))


def validate_route(limits: RateLimits) -> Route:
    """GET /api/v1/validate: is the API key there?"""
    return api_route(
        "/api/v1/validate",
        {"GET": lambda _call: {"valid": True}},
        limits,
        name="validate",
        application_key=False,
    )


def fallback_route() -> Route:
    """Whatever else of the API is asked for is refused by name."""

    def endpoint(request: Request) -> Response:
        message = f"the stand-in does not answer {request.method} {request.url.path}"
        return JSONResponse({"errors": [message]}, status_code=404)

    return Route("/api/{rest:path}", endpoint, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])


def _check_keys(request: Request, *, application_key: bool) -> None:
    # Any key will do, and none is kept; Datadog answers 403 without them.
    needed = ["dd-api-key", "dd-application-key"] if application_key else ["dd-api-key"]
    if not all(request.headers.get(header, "").strip() for header in needed):
        raise Refusal(403, "Forbidden")


async def _json(request: Request) -> Any:
    body = await read_body(request, _BODY_BYTES)
    if not body.strip():
        return None
    try:
        found = json.loads(body, parse_constant=_refuse_constant, parse_float=_finite_float)
        # JSON may escape half a character, which no UTF-8 and so no database can hold.
        json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise Refusal(400, f"The request body is not JSON: {error}") from None
    return found


def _finite_float(text: str) -> float:
    found = finite(float(text))
    return _refuse_constant(text) if found is None else found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name[:40]} is no number that can be kept")

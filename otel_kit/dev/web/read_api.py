"""/dev/api: what the stand-in holds, as JSON, read only."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from otel_kit.dev.errors import Refusal
from otel_kit.dev.numbers import whole_number
from otel_kit.dev.store import monitoring, queries
from otel_kit.dev.store.database import Database
from otel_kit.errors import suggest

__all__ = ["read_routes"]

Question = Callable[[sqlite3.Connection, Request], Any]


def read_routes(database: Database) -> list[Route]:
    """The routes; each answers from one consistent view of the database."""
    questions: dict[str, tuple[Question, tuple[str, ...]]] = {
        "/dev/health": (lambda _c, _r: {"status": "ok"}, ()),
        "/dev/api/services": (lambda c, _r: queries.services(c), ()),
        "/dev/api/traces": (_traces, ("service", "error", "limit")),
        "/dev/api/traces/{trace_id}": (_trace, ()),
        "/dev/api/logs": (_logs, ("trace_id", "service", "search", "limit")),
        "/dev/api/metrics": (lambda c, _r: queries.metrics(c), ()),
        "/dev/api/series": (_series, ("metric", "since")),
        "/dev/api/monitors": (lambda c, _r: monitoring.monitors(c), ()),
        "/dev/api/notifications": (_notifications, ("monitor_id", "limit")),
        "/dev/api/losses": (lambda c, _r: queries.losses(c), ()),
    }
    return [_route(database, path, *question) for path, question in questions.items()]


def _route(database: Database, path: str, question: Question, parameters: tuple[str, ...]) -> Route:
    # A plain function: Starlette runs it in a thread, so a slow query does not hold up the intake.
    def endpoint(request: Request) -> Response:
        try:
            for name in request.query_params:
                if name not in parameters:
                    known = suggest(name, parameters) if parameters else "there are none here"
                    raise Refusal(400, f"the parameter '{name}' is unknown; {known}")
            return JSONResponse(question(database.read(), request))
        except Refusal as refusal:
            return JSONResponse({"errors": [refusal.message]}, status_code=refusal.status)

    return Route(path, endpoint, methods=["GET"])


def _traces(connection: sqlite3.Connection, request: Request) -> Any:
    return queries.traces(
        connection,
        service=request.query_params.get("service", ""),
        limit=_limit(request, 50),
        errors_only=_errors_only(request),
    )


def _trace(connection: sqlite3.Connection, request: Request) -> Any:
    trace_id = _whole_id(connection, request.path_params["trace_id"])
    found = queries.trace(connection, trace_id) if trace_id else None
    if found is None:
        raise Refusal(404, "no trace with this id is known")
    return found


def _whole_id(connection: sqlite3.Connection, begin: str) -> str:
    """The id of a trace by its beginning, as lines in text show eight digits of it; empty: none is known."""
    found = queries.trace_ids(connection, begin.lower())
    if len(found) > 1:
        raise Refusal(400, f"more than one trace begins with '{begin}'; give more of its id")
    return found[0] if found else ""


def _logs(connection: sqlite3.Connection, request: Request) -> Any:
    limit, begin = _limit(request, 100), request.query_params.get("trace_id", "")
    trace_id = _whole_id(connection, begin) if begin else ""
    if begin and not trace_id:
        return []
    return queries.logs(
        connection,
        trace_id=trace_id,
        service=request.query_params.get("service", ""),
        search=request.query_params.get("search", ""),
        limit=limit,
    )


def _series(connection: sqlite3.Connection, request: Request) -> Any:
    metric = request.query_params.get("metric")
    if not metric:
        raise Refusal(400, "the parameter 'metric' is missing")
    since = whole_number(request.query_params.get("since", "0"))
    if since is None:
        raise Refusal(400, "the parameter 'since' must be a number of seconds since 1970")
    return queries.series(connection, metric, since=since)


def _notifications(connection: sqlite3.Connection, request: Request) -> Any:
    text = request.query_params.get("monitor_id")
    monitor_id = None if text is None else whole_number(text)
    if text is not None and monitor_id is None:
        raise Refusal(400, "the parameter 'monitor_id' must be a number")
    return monitoring.notifications(connection, monitor_id=monitor_id, limit=_limit(request, 100))


def _errors_only(request: Request) -> bool:
    given = request.query_params.get("error", "0")
    if given not in ("0", "1"):
        raise Refusal(400, "the parameter 'error' must be 0 or 1")
    return given == "1"


def _limit(request: Request, default: int) -> int:
    found = whole_number(request.query_params.get("limit", str(default)))
    if found is None or not 1 <= found <= queries.MAX_LIMIT:
        raise Refusal(400, f"the parameter 'limit' must be a number from 1 to {queries.MAX_LIMIT}")
    return found

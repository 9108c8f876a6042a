"""/api/v1/dashboard: create, read, change, delete, restore."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, Final

from starlette.routing import Route

from otel_kit.dev.errors import Refusal
from otel_kit.dev.management.dashboards import check_dashboard, complete_dashboard, summary
from otel_kit.dev.numbers import whole_number
from otel_kit.dev.store import objects
from otel_kit.dev.store.database import Database
from otel_kit.dev.web.management import Call, api_route
from otel_kit.dev.web.rate_limits import RateLimits

__all__ = ["dashboard_routes"]

_DEFAULT_COUNT: Final = 100


def dashboard_routes(database: Database, limits: RateLimits) -> list[Route]:
    """The routes of dashboards."""
    api = _Dashboards(database)
    paths = {
        "/api/v1/dashboard": {
            "GET": api.list,
            "POST": api.create,
            "DELETE": api.delete_many,
            "PATCH": api.restore,
        },
        "/api/v1/dashboard/{dashboard_id}": {"GET": api.get, "PUT": api.update, "DELETE": api.delete},
    }
    return [api_route(path, handlers, limits, name="dashboard") for path, handlers in paths.items()]


class _Dashboards:
    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, call: Call) -> Any:
        body = call.object_body()
        check_dashboard(body)
        with self._database.write() as connection:
            return _save(connection, body, objects.new_dashboard_id(connection), None)

    def update(self, call: Call) -> Any:
        body, dashboard_id = call.object_body(), call.path["dashboard_id"]
        with self._database.write() as connection:
            existing = _load(connection, dashboard_id)
            check_dashboard(body, existing)
            return _save(connection, body, dashboard_id, existing)

    def get(self, call: Call) -> Any:
        return _load(self._database.read(), call.path["dashboard_id"])

    def list(self, call: Call) -> Any:
        deleted = call.query.get("filter[deleted]") == "true"
        # Dashboards cannot be shared here, so a list of shared ones is empty.
        shared = call.query.get("filter[shared]") == "true"
        found = [] if shared else objects.list_dashboards(self._database.read(), deleted=deleted)
        start, count = _number(call, "start", 0), _number(call, "count", _DEFAULT_COUNT)
        return {"dashboards": [summary(*item) for item in found[start : start + count]]}

    def delete(self, call: Call) -> Any:
        dashboard_id = call.path["dashboard_id"]
        with self._database.write() as connection:
            _load(connection, dashboard_id)
            objects.set_dashboard_deleted(connection, dashboard_id, _now().isoformat())
        return {"deleted_dashboard_id": dashboard_id}

    def delete_many(self, call: Call) -> Any:
        with self._database.write() as connection:
            for dashboard_id in _listed(call):
                _load(connection, dashboard_id)
                objects.set_dashboard_deleted(connection, dashboard_id, _now().isoformat())

    def restore(self, call: Call) -> Any:
        with self._database.write() as connection:
            for dashboard_id in _listed(call):
                _load(connection, dashboard_id, deleted=True)
                objects.set_dashboard_deleted(connection, dashboard_id, None)


def _save(
    connection: sqlite3.Connection,
    body: Mapping[str, Any],
    dashboard_id: str,
    existing: Mapping[str, Any] | None,
) -> dict[str, Any]:
    dashboard = complete_dashboard(
        body,
        dashboard_id=dashboard_id,
        existing=existing,
        now=_now(),
        new_widget_id=lambda: objects.new_widget_id(connection),
    )
    objects.save_dashboard(connection, dashboard)
    return dashboard


def _load(connection: sqlite3.Connection, dashboard_id: str, *, deleted: bool = False) -> dict[str, Any]:
    found = objects.load_dashboard(connection, dashboard_id, deleted=deleted)
    if found is None:
        raise Refusal(404, f"Dashboard with ID {dashboard_id} not found")
    return found


def _listed(call: Call) -> list[str]:
    data = call.object_body().get("data")
    if not isinstance(data, list) or not all(isinstance(item, dict) and "id" in item for item in data):
        raise Refusal(400, "'data' must list the dashboards by id")
    return [str(item["id"]) for item in data]


def _number(call: Call, key: str, default: int) -> int:
    found = whole_number(call.query.get(key, str(default)))
    if found is None:
        raise Refusal(400, f"The value provided for parameter '{key}' is invalid: it must be a number")
    return found


def _now() -> datetime:
    return datetime.now(timezone.utc)

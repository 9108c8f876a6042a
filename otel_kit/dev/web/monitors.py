"""/api/v1/monitor: create, read, change, delete, validate."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, Final

from starlette.routing import Route

from otel_kit.dev.errors import Refusal
from otel_kit.dev.management.filters import select_monitors
from otel_kit.dev.management.monitor_rules import check_monitor
from otel_kit.dev.management.monitors import ORG_ID, answer, complete, merge, same_type
from otel_kit.dev.numbers import whole_number
from otel_kit.dev.store import monitoring, objects
from otel_kit.dev.store.database import Database
from otel_kit.dev.web.management import Call, api_route
from otel_kit.dev.web.rate_limits import RateLimits

__all__ = ["monitor_routes"]

_GROUP_STATES: Final = frozenset({"all", "alert", "warn", "no data", "ok"})
_STATE_WORDS: Final = {"alert": "Alert", "warn": "Warn", "no data": "No Data", "ok": "OK"}


def monitor_routes(database: Database, limits: RateLimits) -> list[Route]:
    """The routes of monitors."""
    api = _Monitors(database)
    paths = {
        "/api/v1/monitor": {"GET": api.list, "POST": api.create},
        "/api/v1/monitor/validate": {"POST": api.validate},
        "/api/v1/monitor/can_delete": {"GET": api.can_delete},
        "/api/v1/monitor/{monitor_id:int}": {"GET": api.get, "PUT": api.update, "DELETE": api.delete},
        "/api/v1/monitor/{monitor_id:int}/validate": {"POST": api.validate_existing},
    }
    return [api_route(path, handlers, limits, name="monitor") for path, handlers in paths.items()]


class _Monitors:
    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, call: Call) -> Any:
        body = call.object_body()
        check_monitor(body)
        with self._database.write() as connection:
            monitor = complete(body, monitor_id=objects.insert_monitor(connection), now=_now())
            _refuse_duplicate(connection, monitor)
            objects.save_monitor(connection, monitor)
        return answer(monitor)

    def update(self, call: Call) -> Any:
        body = call.object_body()
        with self._database.write() as connection:
            existing = _load(connection, call.path["monitor_id"])
            check_monitor({**existing, "options": existing["options"], **body})
            changed = merge(existing, body, now=_now())
            if not same_type(changed["type"], existing["type"]):
                raise Refusal(400, "The type of a monitor cannot be changed")
            _refuse_duplicate(connection, changed)
            if changed["query"] != existing["query"]:
                monitoring.forget(connection, changed["id"])
                changed = {**changed, "overall_state": "No Data"}
            objects.save_monitor(connection, changed)
        return answer(changed, with_creator=False)

    def get(self, call: Call) -> Any:
        connection = self._database.read()
        monitor = _load(connection, call.path["monitor_id"])
        return self._shown(monitor, call.query)

    def list(self, call: Call) -> Any:
        found = select_monitors(objects.list_monitors(self._database.read()), call.query)
        return [{**self._shown(monitor, call.query), "matching_downtimes": []} for monitor in found]

    def delete(self, call: Call) -> Any:
        monitor_id = call.path["monitor_id"]
        with self._database.write() as connection:
            _load(connection, monitor_id)
            objects.delete_monitor(connection, monitor_id)
            monitoring.forget(connection, monitor_id)
        return {"deleted_monitor_id": monitor_id}

    def can_delete(self, call: Call) -> Any:
        ids = [whole_number(text) for text in call.query.get("monitor_ids", "").split(",")]
        if None in ids:
            raise Refusal(
                400, "The value provided for parameter 'monitor_ids' is invalid: it must list numbers"
            )
        for monitor_id in ids:
            _load(self._database.read(), monitor_id)
        return {"data": {"ok": ids}, "errors": None}

    def validate(self, call: Call) -> Any:
        check_monitor(call.object_body())
        return {}

    def validate_existing(self, call: Call) -> Any:
        existing = _load(self._database.read(), call.path["monitor_id"])
        body = call.object_body()
        check_monitor(body)
        if not same_type(str(body["type"]), existing["type"]):
            raise Refusal(400, "The type of a monitor cannot be changed")
        return {}

    def _shown(self, monitor: Mapping[str, Any], query: Mapping[str, str]) -> dict[str, Any]:
        hidden = {
            "restriction_policy": query.get("with_restriction_policy") != "true",
            "assets": query.get("with_assets") != "true",
            "restricted_roles": query.get("with_restricted_roles") == "false",
        }
        found = answer(monitor, leave_out=frozenset(key for key, hide in hidden.items() if hide))
        if query.get("with_downtimes") == "true":
            found["matching_downtimes"] = []
        wanted = query.get("group_states")
        if wanted is not None:
            found["state"] = {"groups": self._groups(monitor["id"], wanted)}
        return found

    def _groups(self, monitor_id: int, wanted: str) -> dict[str, Any]:
        names = {name.strip().lower() for name in wanted.split(",")}
        if not names <= _GROUP_STATES:
            raise Refusal(400, "Invalid group_state filters.")
        states = set(_STATE_WORDS.values()) if "all" in names else {_STATE_WORDS[name] for name in names}
        return {
            name: {"name": name, "status": kept["state"], "last_triggered_ts": kept["since_ms"] // 1000}
            for name, kept in monitoring.groups(self._database.read(), monitor_id).items()
            if kept["state"] in states
        }


def _refuse_duplicate(connection: sqlite3.Connection, monitor: Mapping[str, Any]) -> None:
    duplicate = objects.find_duplicate(connection, monitor)
    if duplicate is not None:
        raise Refusal(400, f"Duplicate of an existing monitor_id:{duplicate} org_id:{ORG_ID}")


def _load(connection: sqlite3.Connection, monitor_id: int | None) -> dict[str, Any]:
    known = monitor_id is not None and monitor_id < 2**63
    monitor = objects.load_monitor(connection, monitor_id) if known and monitor_id is not None else None
    if not monitor:
        raise Refusal(404, "Monitor not found")
    return monitor


def _now() -> datetime:
    return datetime.now(timezone.utc)

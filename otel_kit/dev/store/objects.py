"""Rows of monitors and dashboards."""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
import string
from collections.abc import Mapping
from typing import Any, Final

__all__ = [
    "delete_monitor",
    "find_duplicate",
    "insert_monitor",
    "list_dashboards",
    "list_monitors",
    "load_dashboard",
    "load_monitor",
    "new_dashboard_id",
    "new_widget_id",
    "save_dashboard",
    "save_monitor",
    "set_dashboard_deleted",
]

Json = dict[str, Any]
_ALPHABET: Final = string.ascii_lowercase + string.digits
_FIRST_WIDGET: Final = 1_000_000_000


def insert_monitor(connection: sqlite3.Connection) -> int:
    """Take the next id; it is never given out again."""
    cursor = connection.execute("INSERT INTO monitors (definition) VALUES ('{}')")
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def save_monitor(connection: sqlite3.Connection, monitor: Mapping[str, Any]) -> None:
    """Store a monitor under its id."""
    connection.execute(
        "UPDATE monitors SET definition = ?, fingerprint = ? WHERE id = ?",
        (_text(monitor), _fingerprint(monitor), monitor["id"]),
    )


def find_duplicate(connection: sqlite3.Connection, monitor: Mapping[str, Any]) -> int | None:
    """The id of another monitor with this name, type, query, message and tags, or None."""
    row = connection.execute(
        "SELECT id FROM monitors WHERE fingerprint = ? AND id != ? ORDER BY id LIMIT 1",
        (_fingerprint(monitor), monitor["id"]),
    ).fetchone()
    return int(row["id"]) if row else None


def load_monitor(connection: sqlite3.Connection, monitor_id: int) -> Json | None:
    """A monitor, or None."""
    row = connection.execute("SELECT definition FROM monitors WHERE id = ?", (monitor_id,)).fetchone()
    return _object(row["definition"]) if row else None


def list_monitors(connection: sqlite3.Connection) -> list[Json]:
    """All monitors by id."""
    rows = connection.execute("SELECT definition FROM monitors WHERE definition != '{}' ORDER BY id")
    return [_object(row["definition"]) for row in rows]


def delete_monitor(connection: sqlite3.Connection, monitor_id: int) -> None:
    """Remove a monitor."""
    connection.execute("DELETE FROM monitors WHERE id = ?", (monitor_id,))


def new_dashboard_id(connection: sqlite3.Connection) -> str:
    """A free id in Datadog's form: ``abc-123-x9z``."""
    while True:
        found = "-".join("".join(secrets.choice(_ALPHABET) for _ in range(3)) for _ in range(3))
        if not connection.execute("SELECT 1 FROM dashboards WHERE id = ?", (found,)).fetchone():
            return found


def new_widget_id(connection: sqlite3.Connection) -> int:
    """A widget id that was not given out before."""
    connection.execute(
        "INSERT INTO counters VALUES ('widget', ?) ON CONFLICT DO UPDATE SET value = value + 1",
        (_FIRST_WIDGET,),
    )
    row = connection.execute("SELECT value FROM counters WHERE name = 'widget'").fetchone()
    return int(row["value"])


def save_dashboard(connection: sqlite3.Connection, dashboard: Mapping[str, Any]) -> None:
    """Store a dashboard under its id, new ones behind all others."""
    connection.execute(
        "INSERT INTO dashboards VALUES (?, (SELECT COALESCE(MAX(position), 0) + 1 FROM dashboards), ?, NULL) "
        "ON CONFLICT (id) DO UPDATE SET definition = excluded.definition",
        (dashboard["id"], _text(dashboard)),
    )


def load_dashboard(
    connection: sqlite3.Connection, dashboard_id: str, *, deleted: bool = False
) -> Json | None:
    """A dashboard, or None; only deleted ones with `deleted`."""
    row = connection.execute(
        "SELECT definition FROM dashboards WHERE id = ? AND (deleted_at IS NOT NULL) = ?",
        (dashboard_id, deleted),
    ).fetchone()
    return _object(row["definition"]) if row else None


def list_dashboards(connection: sqlite3.Connection, *, deleted: bool) -> list[tuple[Json, str | None]]:
    """All dashboards in the order they were made, with when they were deleted."""
    rows = connection.execute(
        "SELECT definition, deleted_at FROM dashboards WHERE (deleted_at IS NOT NULL) = ? ORDER BY position",
        (deleted,),
    )
    return [(_object(row["definition"]), row["deleted_at"]) for row in rows]


def set_dashboard_deleted(connection: sqlite3.Connection, dashboard_id: str, deleted_at: str | None) -> None:
    """Delete a dashboard, or bring it back."""
    connection.execute("UPDATE dashboards SET deleted_at = ? WHERE id = ?", (deleted_at, dashboard_id))


def _fingerprint(monitor: Mapping[str, Any]) -> str:
    known = [monitor.get(key) for key in ("name", "type", "query", "message", "tags")]
    return hashlib.sha256(_text({"": known}).encode()).hexdigest()


def _text(value: Mapping[str, Any]) -> str:
    # What no answer could carry fails here, within the transaction, and so is not kept either.
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _object(text: str) -> Json:
    found = json.loads(text)
    assert isinstance(found, dict)
    return found

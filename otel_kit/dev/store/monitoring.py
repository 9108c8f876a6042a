"""What monitors found: their groups' states and the notifications they sent."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, Final

from otel_kit.dev.model import Loss
from otel_kit.dev.store.losses import add_losses

__all__ = [
    "MAX_GROUPS",
    "MAX_NOTIFICATIONS",
    "add_notification",
    "forget",
    "groups",
    "monitors",
    "notifications",
    "save_groups",
    "set_error",
    "worst",
]

Row = dict[str, Any]
MAX_NOTIFICATIONS: Final = 10_000
#: Groups of a monitor that are shown; there may be as many as there are series.
MAX_GROUPS: Final = 200
# The state of a monitor is the worst of its groups'.
_WORST_FIRST: Final = ("Alert", "Warn", "No Data", "OK")


def monitors(connection: sqlite3.Connection) -> list[Row]:
    """Each monitor with its groups, the worst first and 200 at most, and why it cannot be evaluated."""
    found = []
    for row in connection.execute("SELECT id, definition, error FROM monitors ORDER BY id"):
        definition = json.loads(row["definition"])
        own, count = _worst_groups(connection, row["id"])
        found.append(
            {
                "id": row["id"],
                "name": definition["name"],
                "type": definition["type"],
                "query": definition["query"],
                "overall_state": definition["overall_state"],
                "groups": own,
                "group_count": count,
                "error": row["error"],
            }
        )
    return found


def worst(states: Iterable[str]) -> str:
    """The worst of `states`; ``No Data`` of none."""
    present = set(states)
    return next((state for state in _WORST_FIRST if state in present), "No Data")


def groups(connection: sqlite3.Connection, monitor_id: int) -> dict[str, Row]:
    """What is remembered of each group, by its name; ``*`` is the one group of a simple monitor."""
    rows = connection.execute(
        "SELECT name, state, details FROM monitor_groups WHERE monitor_id = ? ORDER BY name", (monitor_id,)
    )
    return {row["name"]: {"state": row["state"], **json.loads(row["details"])} for row in rows}


def _worst_groups(connection: sqlite3.Connection, monitor_id: int) -> tuple[list[Row], int]:
    rows = connection.execute(
        "SELECT name, state, details, COUNT(*) OVER () AS count FROM monitor_groups WHERE monitor_id = ? "
        "ORDER BY INSTR(?, state), name LIMIT ?",
        (monitor_id, ",".join(_WORST_FIRST), MAX_GROUPS),
    ).fetchall()
    found = []
    for row in rows:
        details = json.loads(row["details"])
        known = {key: details[key] for key in ("value", "since_ms")}
        found.append({"group": row["name"], "state": row["state"], **known})
    return found, rows[0]["count"] if rows else 0


def save_groups(
    connection: sqlite3.Connection, monitor_id: int, found: Mapping[str, Mapping[str, Any]]
) -> None:
    """Replace what is remembered of a monitor's groups."""
    connection.execute("DELETE FROM monitor_groups WHERE monitor_id = ?", (monitor_id,))
    connection.executemany(
        "INSERT INTO monitor_groups VALUES (?, ?, ?, ?)",
        [
            (monitor_id, name, kept["state"], json.dumps({k: v for k, v in kept.items() if k != "state"}))
            for name, kept in found.items()
        ],
    )


def set_error(connection: sqlite3.Connection, monitor_id: int, error: str | None) -> None:
    """Say why a monitor cannot be evaluated, or that it can."""
    connection.execute(
        "UPDATE monitors SET error = ? WHERE id = ? AND error IS NOT ?", (error, monitor_id, error)
    )


def add_notification(
    connection: sqlite3.Connection, monitor_id: int, at_ms: int, body: Mapping[str, Any]
) -> None:
    """Remember one notification; the oldest one goes, counted as a loss, when there are too many."""
    cursor = connection.execute(
        "INSERT INTO notifications (monitor_id, at_ms, body) VALUES (?, ?, ?)",
        (monitor_id, at_ms, json.dumps(body, ensure_ascii=False, allow_nan=False)),
    )
    assert cursor.lastrowid is not None
    oldest = cursor.lastrowid - MAX_NOTIFICATIONS
    gone = connection.execute("DELETE FROM notifications WHERE id <= ?", (oldest,)).rowcount
    if gone:
        reason = f"evicted: the stand-in keeps the newest {MAX_NOTIFICATIONS}"
        add_losses(connection, [Loss("notifications", reason, gone)])


def notifications(connection: sqlite3.Connection, *, monitor_id: int | None, limit: int) -> list[Row]:
    """Notifications, newest first."""
    rows = connection.execute(
        "SELECT id, monitor_id, at_ms, body FROM notifications WHERE ?1 IS NULL OR monitor_id = ?1 "
        "ORDER BY id DESC LIMIT ?2",
        (monitor_id, limit),
    )
    return [
        {"id": row["id"], "monitor_id": row["monitor_id"], **json.loads(row["body"]), "at_ms": row["at_ms"]}
        for row in rows
    ]


def forget(connection: sqlite3.Connection, monitor_id: int) -> None:
    """Drop the states of a monitor that is gone or has changed; its notifications stay, they were sent."""
    connection.execute("DELETE FROM monitor_groups WHERE monitor_id = ?", (monitor_id,))

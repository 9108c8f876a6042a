"""What monitors found: their groups' states and the notifications they sent."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, Final

__all__ = ["add_notification", "forget", "groups", "monitors", "notifications", "save_groups", "set_error"]

Row = dict[str, Any]
# The state of a monitor is the worst of its groups'.
_WORST_FIRST: Final = ("Alert", "Warn", "No Data", "OK")


def monitors(connection: sqlite3.Connection) -> list[Row]:
    """Each monitor with its groups, and why it cannot be evaluated if it cannot."""
    found = []
    for row in connection.execute("SELECT id, definition, error FROM monitors ORDER BY id"):
        definition = json.loads(row["definition"])
        own = [
            {"group": name, "state": kept["state"], "value": kept["value"], "since_ms": kept["since_ms"]}
            for name, kept in groups(connection, row["id"]).items()
        ]
        found.append(
            {
                "id": row["id"],
                "name": definition["name"],
                "type": definition["type"],
                "query": definition["query"],
                "overall_state": definition["overall_state"],
                "groups": own,
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
    """Remember one notification."""
    connection.execute(
        "INSERT INTO notifications (monitor_id, at_ms, body) VALUES (?, ?, ?)",
        (monitor_id, at_ms, json.dumps(body, ensure_ascii=False)),
    )


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

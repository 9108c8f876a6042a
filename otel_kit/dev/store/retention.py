"""Keep the newest rows of each kind and count what goes as lost."""

from __future__ import annotations

import sqlite3
from typing import Final

from otel_kit.dev.model import Loss
from otel_kit.dev.store.database import Database

__all__ = ["DEFAULT_KEEP", "Retention"]

#: Rows of spans, of log lines and of metric points; about 1 GB on disk when all three are full.
DEFAULT_KEEP: Final = 1_000_000


class Retention:
    """Evicts the oldest tenth when a table has grown over `keep` rows, so that it is seldom done."""

    def __init__(self, database: Database, keep: int = DEFAULT_KEEP) -> None:
        self._keep = keep
        connection = database.read()
        self._rows = {table: _count(connection, table) for table in ("spans", "logs", "points")}

    def apply(self, connection: sqlite3.Connection, *, spans: int, logs: int, points: int) -> list[Loss]:
        """Evict after as many rows were added; what went."""
        added = {"spans": spans, "logs": logs, "points": points}
        evicted = {table: self._evict(connection, table, n) for table, n in added.items()}
        if evicted["spans"]:
            connection.execute(
                "DELETE FROM traces WHERE NOT EXISTS "
                "(SELECT 1 FROM spans WHERE spans.trace_id = traces.trace_id)"
            )
        signals = (("traces", "spans"), ("logs", "logs"), ("metrics", "points"))
        reason = f"evicted: the stand-in keeps the newest {self._keep} rows"
        return [Loss(signal, reason, evicted[table]) for signal, table in signals if evicted[table]]  # type: ignore[arg-type]

    def _evict(self, connection: sqlite3.Connection, table: str, added: int) -> int:
        self._rows[table] += added
        if self._rows[table] <= self._keep:
            return 0
        # What was added may have replaced rows, so it is counted before anything goes.
        self._rows[table] = _count(connection, table)
        if self._rows[table] <= self._keep:
            return 0
        excess = self._rows[table] - self._keep + self._keep // 10
        gone = (
            _delete_points(connection, excess)
            if table == "points"
            else _delete_rows(connection, table, excess)
        )
        self._rows[table] -= gone
        return gone


def _count(connection: sqlite3.Connection, table: str) -> int:
    return int(connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])  # noqa: S608 - our names


def _delete_rows(connection: sqlite3.Connection, table: str, count: int) -> int:
    return connection.execute(
        f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} ORDER BY id LIMIT ?)",  # noqa: S608
        (count,),
    ).rowcount


def _delete_points(connection: sqlite3.Connection, count: int) -> int:
    row = connection.execute(
        "SELECT second FROM points ORDER BY second LIMIT 1 OFFSET ?", (count,)
    ).fetchone()
    if row is None:
        return 0
    return connection.execute("DELETE FROM points WHERE second < ?", (row["second"],)).rowcount

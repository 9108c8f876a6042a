"""Keep the newest rows of each kind, drop what belonged to the others alone, and count what goes as lost."""

from __future__ import annotations

import sqlite3
from typing import Final

from otel_kit.dev.model import Loss, Signal
from otel_kit.dev.store.database import Database

__all__ = ["DEFAULT_KEEP", "Retention"]

#: Rows of spans, of log lines and of metric points; about 1 GB on disk when all three are full.
DEFAULT_KEEP: Final = 1_000_000
_SIGNALS: Final[tuple[tuple[str, Signal], ...]] = (
    ("spans", "traces"),
    ("logs", "logs"),
    ("points", "metrics"),
)
_SERVICES: Final = (
    "DELETE FROM services WHERE service NOT IN (SELECT service FROM spans) "
    "AND service NOT IN (SELECT service FROM logs)"
)
# What no row of a table refers to any more after an eviction from it.
_ORPHANS: Final = {
    "spans": (
        "DELETE FROM traces WHERE NOT EXISTS (SELECT 1 FROM spans WHERE spans.trace_id = traces.trace_id)",
        "DELETE FROM resources WHERE id NOT IN (SELECT resource_id FROM spans)",
        _SERVICES,
    ),
    "logs": (_SERVICES,),
    "points": (
        "DELETE FROM series WHERE NOT EXISTS (SELECT 1 FROM points WHERE points.series_id = series.id)",
        "DELETE FROM metrics WHERE NOT EXISTS (SELECT 1 FROM series WHERE series.metric_id = metrics.id)",
    ),
}


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
        for table, statements in _ORPHANS.items():
            if evicted[table]:
                for statement in statements:
                    connection.execute(statement)
        reason = f"evicted: the stand-in keeps the newest {self._keep} rows"
        return [Loss(signal, reason, evicted[table]) for table, signal in _SIGNALS if evicted[table]]

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
    return connection.execute(
        "DELETE FROM points WHERE (series_id, second) IN "
        "(SELECT series_id, second FROM points ORDER BY second LIMIT ?)",
        (count,),
    ).rowcount

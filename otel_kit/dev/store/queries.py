"""Every question the page and the read API ask, as JSON-able rows. Read only."""

from __future__ import annotations

import json
import sqlite3
from typing import Any, Final

__all__ = ["MAX_LIMIT", "logs", "losses", "metrics", "series", "services", "trace", "trace_ids", "traces"]

Row = dict[str, Any]
MAX_LIMIT: Final = 10_000
_LOG_COLUMNS: Final = "timestamp_ms, status, service, message, trace_id, span_id, attributes, tags"


def services(connection: sqlite3.Connection) -> list[Row]:
    """Each service, environment and version that sent spans or logs; counts since the database began."""
    return [dict(row) for row in connection.execute("SELECT * FROM services ORDER BY service, env, version")]


def traces(
    connection: sqlite3.Connection, *, service: str = "", limit: int = 50, errors_only: bool = False
) -> list[Row]:
    """Traces, newest first; `service` keeps those with a span of it."""
    conditions, values = ["1"], list[Any]()
    if service:
        conditions.append("EXISTS (SELECT 1 FROM spans WHERE trace_id = traces.trace_id AND service = ?)")
        values.append(service)
    if errors_only:
        conditions.append("errors > 0")
    rows = connection.execute(
        f"SELECT * FROM traces WHERE {' AND '.join(conditions)} ORDER BY start_ns DESC LIMIT ?",  # noqa: S608
        (*values, limit),
    ).fetchall()
    return [_trace_summary(connection, row) for row in rows]


def _trace_summary(connection: sqlite3.Connection, row: sqlite3.Row) -> Row:
    # A span without a parent, else the earliest one of the trace.
    root = connection.execute(
        "SELECT service, resource FROM spans WHERE trace_id = ? ORDER BY parent_id != '', start_ns LIMIT 1",
        (row["trace_id"],),
    ).fetchone()
    return {
        "trace_id": row["trace_id"],
        "service": root["service"] if root else "",
        "resource": root["resource"] if root else "",
        "start_ns": row["start_ns"],
        "duration_ns": row["end_ns"] - row["start_ns"],
        "spans": row["spans"],
        "errors": row["errors"],
    }


def trace_ids(connection: sqlite3.Connection, begin: str) -> list[str]:
    """At most two of the ids with this beginning, of spans or logs; an id that is whole comes alone."""
    # The digits of an id sort before g, so this is a range of an index.
    rows = connection.execute(
        "SELECT trace_id FROM traces WHERE trace_id >= :begin AND trace_id < :end "
        "UNION SELECT trace_id FROM logs WHERE trace_id != '' AND trace_id >= :begin AND trace_id < :end "
        "ORDER BY trace_id LIMIT 2",
        {"begin": begin, "end": f"{begin}g"},
    )
    found = [str(row["trace_id"]) for row in rows]
    return [begin] if begin in found else found


def trace(connection: sqlite3.Connection, trace_id: str) -> Row | None:
    """All spans of a trace by start, and its logs by time; None when nothing of it is known."""
    spans = connection.execute(
        "SELECT spans.*, resources.attributes AS resource_attributes FROM spans "
        "JOIN resources ON resources.id = resource_id WHERE trace_id = ? ORDER BY start_ns, spans.id",
        (trace_id,),
    ).fetchall()
    found = connection.execute(
        f"SELECT {_LOG_COLUMNS} FROM logs WHERE trace_id = ? AND trace_id != '' ORDER BY timestamp_ms, id",  # noqa: S608
        (trace_id,),
    ).fetchall()
    if not spans and not found:
        return None
    return {
        "trace_id": trace_id,
        "spans": [_span(row) for row in spans],
        "logs": [_log(row) for row in found],
    }


def _span(row: sqlite3.Row) -> Row:
    span = {key: row[key] for key in row.keys() if key not in {"id", "resource_id"}}  # noqa: SIM118
    for key in ("attributes", "resource_attributes", "events", "links"):
        span[key] = json.loads(span[key])
    span["error"] = bool(span["error"])
    return span


def logs(
    connection: sqlite3.Connection,
    *,
    trace_id: str = "",
    service: str = "",
    search: str = "",
    limit: int = 100,
) -> list[Row]:
    """Log lines, newest first; `search` is a part of the message, in any case of ASCII letters."""
    conditions, values = ["1"], list[Any]()
    if trace_id:
        conditions.append("trace_id = ? AND trace_id != ''")
        values.append(trace_id)
    if service:
        conditions.append("service = ?")
        values.append(service)
    if search:
        escaped = search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        conditions.append("message LIKE ? ESCAPE '\\'")
        values.append(f"%{escaped}%")
    rows = connection.execute(
        f"SELECT {_LOG_COLUMNS} FROM logs WHERE {' AND '.join(conditions)} "  # noqa: S608
        "ORDER BY timestamp_ms DESC, id DESC LIMIT ?",
        (*values, limit),
    )
    return [_log(row) for row in rows]


def _log(row: sqlite3.Row) -> Row:
    return {**dict(row), "attributes": json.loads(row["attributes"]), "tags": json.loads(row["tags"])}


def metrics(connection: sqlite3.Connection) -> list[Row]:
    """Each metric with its type, its numbers of series and points, and when it was last seen."""
    rows = connection.execute(
        "SELECT metrics.name, metrics.type, COUNT(DISTINCT series.id) AS series, "
        "COUNT(points.second) AS points, COALESCE(MAX(points.second), 0) * 1000 AS last_seen_ms FROM metrics "
        "LEFT JOIN series ON series.metric_id = metrics.id LEFT JOIN points ON points.series_id = series.id "
        "GROUP BY metrics.id ORDER BY metrics.name"
    )
    return [dict(row) for row in rows]


def series(connection: sqlite3.Connection, metric: str, *, since: int = 0) -> list[Row]:
    """Each series of `metric` from second `since`: ``[second, value]``, of a distribution its totals."""
    rows = connection.execute(
        "SELECT series.tags, points.* FROM series JOIN metrics ON metrics.id = series.metric_id "
        "JOIN points ON points.series_id = series.id AND points.second >= ? "
        "WHERE metrics.name = ? ORDER BY series.id, second",
        (since, metric),
    )
    found: dict[str, list[Any]] = {}
    for row in rows:
        totals = {key: row[key] for key in ("count", "sum", "min", "max")}
        value = row["value"] if row["count"] is None else totals
        found.setdefault(row["tags"], []).append([row["second"], value])
    return [{"tags": json.loads(tags), "points": points} for tags, points in found.items()]


def losses(connection: sqlite3.Connection) -> list[Row]:
    """Everything refused, overwritten, cut or evicted; empty when nothing was lost."""
    return [dict(row) for row in connection.execute("SELECT * FROM losses ORDER BY signal, reason")]

"""Store what arrived: one transaction a request, losses in the same one."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Final

from otel_kit.dev.model import Log, Loss, MetricType, Point, Span
from otel_kit.dev.store.database import Database
from otel_kit.dev.store.losses import add_losses
from otel_kit.dev.store.retention import Retention

__all__ = ["Writer"]

# Numbers of rows that are looked up again rather than remembered without end.
_MAX_REMEMBERED: Final = 100_000

_SPAN: Final = "INSERT OR IGNORE INTO spans VALUES (NULL" + ", ?" * 19 + ")"
_LOG: Final = "INSERT INTO logs VALUES (NULL" + ", ?" * 8 + ")"
_POINT: Final = "INSERT OR IGNORE INTO points VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
# OTLP delivers at least once: the same point again changes nothing, and so is no loss.
_OVERWRITE: Final = (
    "UPDATE points SET time_ns = ?3, value = ?4, count = ?5, sum = ?6, min = ?7, max = ?8, buckets = ?9 "
    "WHERE series_id = ?1 AND second = ?2 AND NOT (time_ns = ?3 AND value IS ?4 AND count IS ?5 "
    "AND sum IS ?6 AND min IS ?7 AND max IS ?8 AND buckets IS ?9)"
)
_RESOURCE_COLUMN: Final = Span._fields.index("resource_attributes")


class Writer:
    """Writes spans, logs and points. Known resources, metrics and series are remembered in memory."""

    def __init__(self, database: Database, retention: Retention) -> None:
        self._database = database
        self._retention = retention
        self._resources: dict[str, int] = {}
        self._metrics: dict[str, tuple[int, MetricType]] = {}
        self._series: dict[tuple[int, tuple[str, ...]], int] = {}

    def store(
        self,
        *,
        spans: Sequence[Span] = (),
        logs: Sequence[Log] = (),
        points: Sequence[Point] = (),
        losses: Sequence[Loss] = (),
    ) -> list[Loss]:
        """Keep all of it; what was lost on the way, `losses` included."""
        lost = list(losses)
        try:
            with self._database.write() as connection:
                lost += self._spans(connection, spans)
                lost += self._logs(connection, logs)
                lost += self._points(connection, points)
                evicted = self._retention.apply(
                    connection, spans=len(spans), logs=len(logs), points=len(points)
                )
                lost += evicted
                add_losses(connection, lost)
        except BaseException:
            # What the undone transaction had numbered is not in the file.
            self._forget()
            raise
        if evicted or len(self._series) + len(self._resources) > _MAX_REMEMBERED:
            self._forget()
        return lost

    def _forget(self) -> None:
        self._resources.clear()
        self._metrics.clear()
        self._series.clear()

    def _spans(self, connection: sqlite3.Connection, spans: Sequence[Span]) -> list[Loss]:
        if not spans:
            return []
        rows = [self._span_row(connection, span) for span in spans]
        before = connection.total_changes
        connection.executemany(_SPAN, rows)
        added = connection.total_changes - before
        kept, differing = (spans, 0) if added == len(rows) else _told_apart(connection, spans, rows, added)
        _add_traces(connection, kept)
        _add_services(connection, kept, ())
        return [Loss("traces", "a span with the ids of another one", differing)] if differing else []

    def _span_row(self, connection: sqlite3.Connection, span: Span) -> tuple[object, ...]:
        text = span.resource_attributes
        number = self._resources.get(text)
        if number is None:
            connection.execute("INSERT OR IGNORE INTO resources (attributes) VALUES (?)", (text,))
            (number,) = connection.execute(
                "SELECT id FROM resources WHERE attributes = ?", (text,)
            ).fetchone()
            self._resources[text] = number
        return (*span[:_RESOURCE_COLUMN], number, *span[_RESOURCE_COLUMN + 1 :])

    def _logs(self, connection: sqlite3.Connection, logs: Sequence[Log]) -> list[Loss]:
        connection.executemany(_LOG, [log[:8] for log in logs])
        _add_services(connection, (), logs)
        return []

    def _points(self, connection: sqlite3.Connection, points: Sequence[Point]) -> list[Loss]:
        lost: Counter[str] = Counter()
        for point in points:
            metric, kind = self._metric(connection, point)
            if kind != point.type:
                lost[f"{point.metric}: a {point.type} under the name of a {kind}"] += 1
                continue
            row = (self._series_id(connection, metric, point), point.second, point.time_ns, *_columns(point))
            stored = connection.execute(_POINT, row).rowcount
            if not stored and connection.execute(_OVERWRITE, row).rowcount:
                lost[f"{point.metric}: overwritten by a point of the same tags and second"] += 1
        return [Loss("metrics", reason, n) for reason, n in lost.items()]

    def _metric(self, connection: sqlite3.Connection, point: Point) -> tuple[int, MetricType]:
        known = self._metrics.get(point.metric)
        if known is None:
            connection.execute(
                "INSERT OR IGNORE INTO metrics (name, type) VALUES (?, ?)", (point.metric, point.type)
            )
            row = connection.execute(
                "SELECT id, type FROM metrics WHERE name = ?", (point.metric,)
            ).fetchone()
            known = self._metrics[point.metric] = (row["id"], row["type"])
        return known

    def _series_id(self, connection: sqlite3.Connection, metric: int, point: Point) -> int:
        known = self._series.get((metric, point.tags))
        if known is None:
            tags = json.dumps(point.tags, ensure_ascii=False)
            connection.execute("INSERT OR IGNORE INTO series (metric_id, tags) VALUES (?, ?)", (metric, tags))
            (known,) = connection.execute(
                "SELECT id FROM series WHERE metric_id = ? AND tags = ?", (metric, tags)
            ).fetchone()
            self._series[metric, point.tags] = known
        return known


def _columns(point: Point) -> tuple[object, ...]:
    found = point.distribution
    if found is None:
        return (point.value, None, None, None, None, None)
    return (None, found.count, found.sum, found.min, found.max, json.dumps(found.buckets))


def _told_apart(
    connection: sqlite3.Connection, spans: Sequence[Span], rows: Sequence[tuple[object, ...]], added: int
) -> tuple[list[Span], int]:
    """Of a request with repeats: the spans that were added, and how many differ from the one that is kept."""
    newest = connection.execute("SELECT trace_id, span_id FROM spans ORDER BY id DESC LIMIT ?", (added,))
    new = {tuple(row) for row in newest}
    kept, differing = [], 0
    for span, row in zip(spans, rows, strict=True):
        ids = (span.trace_id, span.span_id)
        if ids in new:
            new.remove(ids)
            kept.append(span)
            continue
        known = connection.execute("SELECT * FROM spans WHERE trace_id = ? AND span_id = ?", ids).fetchone()
        differing += tuple(known)[1:] != row
    return kept, differing


def _add_traces(connection: sqlite3.Connection, spans: Sequence[Span]) -> None:
    found: dict[str, list[int]] = {}
    for span in spans:
        end = span.start_ns + span.duration_ns
        known = found.get(span.trace_id)
        if known is None:
            found[span.trace_id] = [span.start_ns, end, 1, span.error]
        else:
            known[0] = min(known[0], span.start_ns)
            known[1] = max(known[1], end)
            known[2] += 1
            known[3] += span.error
    connection.executemany(
        "INSERT INTO traces VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
        "start_ns = MIN(start_ns, excluded.start_ns), end_ns = MAX(end_ns, excluded.end_ns), "
        "spans = spans + excluded.spans, errors = errors + excluded.errors",
        [(trace_id, *numbers) for trace_id, numbers in found.items()],
    )


def _add_services(connection: sqlite3.Connection, spans: Sequence[Span], logs: Sequence[Log]) -> None:
    found: defaultdict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for span in spans:
        numbers = found[span.service, span.env, span.version]
        numbers[0] += 1
        numbers[1] += span.error
        numbers[3] = max(numbers[3], (span.start_ns + span.duration_ns) // 1_000_000)
    for log in logs:
        numbers = found[log.service, log.env, log.version]
        numbers[2] += 1
        numbers[3] = max(numbers[3], log.timestamp_ms)
    connection.executemany(
        "INSERT INTO services VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
        "spans = spans + excluded.spans, errors = errors + excluded.errors, logs = logs + excluded.logs, "
        "last_seen_ms = MAX(last_seen_ms, excluded.last_seen_ms)",
        [(*key, *numbers) for key, numbers in found.items()],
    )

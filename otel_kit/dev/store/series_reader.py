"""Series for the evaluation, from SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from otel_kit.dev.evaluate.series import SeriesData
from otel_kit.dev.model import Distribution

__all__ = ["StoreReader"]


class StoreReader:
    """Reads through one connection; a metric is read once for each time asked for."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known: dict[tuple[str, int, int], Sequence[SeriesData]] = {}

    def read(self, metric: str, start: int, end: int) -> Sequence[SeriesData]:
        """All series of `metric` that have a point, with those from `start` up to but not including `end`."""
        key = (metric, start, end)
        if key not in self._known:
            self._known[key] = list(self._read(metric, start, end))
        return self._known[key]

    def _read(self, metric: str, start: int, end: int) -> Sequence[SeriesData]:
        rows = self._connection.execute(
            "SELECT series.id, series.tags, metrics.type, "
            "(SELECT MIN(second) FROM points WHERE series_id = series.id) AS first, "
            "(SELECT MAX(second) FROM points WHERE series_id = series.id) AS last "
            "FROM series JOIN metrics ON metrics.id = series.metric_id "
            "WHERE metrics.name = ? ORDER BY series.id",
            (metric,),
        ).fetchall()
        return [
            SeriesData(
                tags=frozenset(json.loads(row["tags"])),
                type=row["type"],
                first=row["first"],
                last=row["last"],
                points=self._points(row["id"], start, end) if row["last"] >= start else (),
            )
            for row in rows
            if row["first"] is not None
        ]

    def _points(self, series: int, start: int, end: int) -> list[tuple[int, float | Distribution]]:
        rows = self._connection.execute(
            "SELECT * FROM points WHERE series_id = ? AND second >= ? AND second < ? ORDER BY second",
            (series, start, end),
        )
        return [(row["second"], _value(row)) for row in rows]


def _value(row: sqlite3.Row) -> float | Distribution:
    if row["count"] is None:
        return float(row["value"])
    return Distribution(
        count=row["count"],
        sum=row["sum"],
        min=row["min"],
        max=row["max"],
        buckets=tuple((low, high, count) for low, high, count in json.loads(row["buckets"])),
    )

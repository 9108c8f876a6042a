"""``GET /api/v1/query``: the series of each expression of a query. Pure."""

from __future__ import annotations

from typing import Any

from otel_kit.datadog.query import Expr, MetricQuery, metric_queries, parse_metric_queries
from otel_kit.dev.evaluate.expression import evaluate
from otel_kit.dev.evaluate.series import SeriesReader, Span
from otel_kit.dev.evaluate.steps import step_for

__all__ = ["query_series"]


def query_series(text: str, reader: SeriesReader, start: int, end: int) -> list[dict[str, Any]]:
    """One entry a group, as Datadog's API shows it; points are ``[milliseconds, value]``, gaps left out.

    Raises:
        InputError: the query cannot be parsed.
        UnsupportedError: something in it is not evaluated, by name.
    """
    span = Span(start=start, end=end, step=step_for(end - start))
    found = []
    for index, expr in enumerate(parse_metric_queries(text)):
        found += _entries(expr, text, index, reader, span)
    return found


def _entries(expr: Expr, text: str, index: int, reader: SeriesReader, span: Span) -> list[dict[str, Any]]:
    frame = evaluate(expr, reader, span, missing_tag="n/a")
    leaves = list(metric_queries(expr))
    entries: list[dict[str, Any]] = []
    for group, row in sorted(frame.rows.items()):
        points = [[bucket * 1000, value] for bucket, value in sorted(row.items())]
        if not points:
            continue
        entries.append(
            {
                "metric": leaves[0].metric if len(leaves) == 1 else text,
                "display_name": leaves[0].metric if len(leaves) == 1 else text,
                "aggr": expr.aggregator if isinstance(expr, MetricQuery) else None,
                "expression": text,
                "query_index": index,
                "scope": ",".join(group) or "*",
                "tag_set": list(group),
                "interval": frame.step,
                "length": len(points),
                "start": span.start * 1000,
                "end": span.end * 1000 - 1,
                "pointlist": points,
                "unit": None,
                "attributes": {},
            }
        )
    return entries

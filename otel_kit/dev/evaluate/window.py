"""The one value a monitor compares, per group: the time aggregator over the evaluation window.

With ``as_count()`` anywhere in the expression the order is another one: each query is aggregated over the
window first, a missing point being zero, and the arithmetic comes last
(https://docs.datadoghq.com/monitors/guide/as-count-in-monitor-evaluations/).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from otel_kit.datadog.query import (
    Binary,
    Expr,
    Function,
    MetricQuery,
    MonitorQuery,
    Number,
    Text,
    metric_queries,
)
from otel_kit.dev.evaluate.expression import Joined, arithmetic, evaluate, is_null_group, join
from otel_kit.dev.evaluate.frame import Frame, Seen
from otel_kit.dev.evaluate.functions import DEFAULT_ZERO, EXCLUDE_NULL, value_function
from otel_kit.dev.evaluate.rollup import frame_of
from otel_kit.dev.evaluate.series import Group, SeriesReader, Span
from otel_kit.dev.evaluate.steps import step_for
from otel_kit.dev.numbers import finite
from otel_kit.errors import InputError, UnsupportedError

__all__ = ["GroupValue", "WindowValues", "evaluate_window", "is_count_query"]

_AGGREGATORS: Final[dict[str, Callable[[Sequence[float]], float]]] = {
    "avg": lambda values: sum(values) / len(values),
    "sum": sum,
    "min": min,
    "max": max,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupValue:
    """The value of a group, None without one, and when the group was seen."""

    value: float | None
    seen: Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowValues:
    """What a monitor looks at: a value per group that was ever seen; `by` are the tag keys that name them."""

    by: tuple[str, ...]
    groups: Mapping[Group, GroupValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Values:
    """Values by group after time aggregation. `zero`: a group that is missing counts as zero."""

    by: tuple[str, ...] = ()
    values: Mapping[Group, float | None] = field(default_factory=dict)
    seen: Mapping[Group, Seen] = field(default_factory=dict)
    zero: bool = False
    constant: float | None = None

    def of(self, group: Group) -> float | None:
        if self.constant is not None:
            return self.constant
        found = self.values.get(group)
        return 0.0 if found is None and self.zero and group not in self.values else found


def is_count_query(query: MonitorQuery) -> bool:
    """Does ``as_count()`` occur, so that missing points are zero?"""
    return any(m.name == "as_count" for found in metric_queries(query.expression) for m in found.modifiers)


def evaluate_window(query: MonitorQuery, reader: SeriesReader, end: int) -> WindowValues:
    """The values of all groups over the window that ends at second `end`.

    Raises:
        UnsupportedError: something in the query is not evaluated, by name.
    """
    if query.change is not None:
        raise UnsupportedError(f"{'pct_' if query.change.relative else ''}change() is not evaluated")
    if query.window.kind != "last":
        raise UnsupportedError(f"the window {query.window.text} is not evaluated")
    aggregate = _AGGREGATORS.get(query.time_aggregator)
    if aggregate is None:
        raise UnsupportedError(f"the time aggregator {query.time_aggregator} is not evaluated")
    span = Span(start=end - query.window_seconds, end=end, step=step_for(query.window_seconds))
    if is_count_query(query):
        found = _aggregate_first(query.expression, reader, span, aggregate)
    else:
        found = _over_time(evaluate(query.expression, reader, span, missing_tag=None), aggregate)
    if found.constant is not None:
        raise InputError("the query names no metric")
    groups = {
        g: GroupValue(value=found.values[g], seen=seen) for g, seen in found.seen.items() if g in found.values
    }
    return WindowValues(by=found.by, groups=groups)


def _over_time(frame: Frame, aggregate: Callable[[Sequence[float]], float]) -> _Values:
    values = {
        group: finite(aggregate(list(row.values()))) if row else None for group, row in frame.rows.items()
    }
    return _Values(by=frame.by, values=values, seen=frame.seen, constant=frame.constant)


def _aggregate_first(
    expr: Expr | Text, reader: SeriesReader, span: Span, aggregate: Callable[[Sequence[float]], float]
) -> _Values:
    if isinstance(expr, Number):
        return _Values(constant=expr.value)
    if isinstance(expr, MetricQuery):
        return _leaf(expr, reader, span, aggregate)
    if isinstance(expr, Binary):
        left = _aggregate_first(expr.left, reader, span, aggregate)
        right = _aggregate_first(expr.right, reader, span, aggregate)
        return _combined(expr.op, left, right)
    if isinstance(expr, Function):
        return _applied(expr, reader, span, aggregate)
    raise InputError(f"{expr.value!r} is not a query")


def _leaf(
    query: MetricQuery, reader: SeriesReader, span: Span, aggregate: Callable[[Sequence[float]], float]
) -> _Values:
    frame = frame_of(query, reader, span, missing_tag=None)
    if not any(m.name == "as_count" for m in query.modifiers):
        return _over_time(frame, aggregate)
    buckets = span.with_step(frame.step).buckets()
    values = {
        group: finite(aggregate([row.get(b, 0.0) for b in buckets])) for group, row in frame.rows.items()
    }
    return _Values(by=frame.by, values=values, seen=frame.seen, zero=True)


def _combined(op: str, left: _Values, right: _Values) -> _Values:
    if left.constant is not None and right.constant is not None:
        return _Values(constant=_known(arithmetic(op, left.constant, right.constant)))
    if right.constant is not None:
        joined = Joined(by=left.by, pairs={group: (group, group) for group in left.values}, seen=left.seen)
    elif left.constant is not None:
        joined = Joined(by=right.by, pairs={group: (group, group) for group in right.values}, seen=right.seen)
    else:
        joined = join(left, left.values, right, right.values)
    values: dict[Group, float | None] = {}
    for group, (ours, theirs) in joined.pairs.items():
        a, b = left.of(ours), right.of(theirs)
        values[group] = None if a is None or b is None else arithmetic(op, a, b)
    zero = (
        (left.zero or left.constant is not None) and (right.zero or right.constant is not None) and op != "/"
    )
    return _Values(by=joined.by, values=values, seen=joined.seen, zero=zero)


def _known(value: float | None) -> float:
    if value is None:
        raise InputError("the constants of the query have no value together")
    return value


def _applied(
    function: Function, reader: SeriesReader, span: Span, aggregate: Callable[[Sequence[float]], float]
) -> _Values:
    if not function.args:
        raise InputError(f"{function.name}() takes a query")
    special = function.name in {DEFAULT_ZERO, EXCLUDE_NULL}
    change = None if special else value_function(function)
    found = _aggregate_first(function.args[0], reader, span, aggregate)
    if function.name == EXCLUDE_NULL:
        kept = {group: value for group, value in found.values.items() if not is_null_group(group)}
    elif change is None:
        kept = {group: 0.0 if value is None else value for group, value in found.values.items()}
    else:
        kept = {
            group: None if value is None else finite(change(value)) for group, value in found.values.items()
        }
    seen = {group: s for group, s in found.seen.items() if group in kept}
    zero = change is None and (found.zero or function.name == DEFAULT_ZERO)
    return _Values(by=found.by, values=kept, seen=seen, zero=zero)

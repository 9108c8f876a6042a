"""An expression, bucket by bucket: the path of graphs, and of monitors without ``as_count()``.

A bucket in which one side has no value has none in the result, and so has a division by zero: such points are
skipped (https://docs.datadoghq.com/monitors/guide/monitor-arithmetic-and-sparse-metrics/).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from otel_kit.datadog.query import Binary, Expr, Function, MetricQuery, Number, Text
from otel_kit.dev.evaluate.frame import Frame, Seen, merge_seen
from otel_kit.dev.evaluate.functions import DEFAULT_ZERO, EXCLUDE_NULL, value_function
from otel_kit.dev.evaluate.rollup import frame_of
from otel_kit.dev.evaluate.series import Group, SeriesReader, Span
from otel_kit.dev.numbers import finite
from otel_kit.errors import InputError, UnsupportedError

__all__ = ["Joined", "arithmetic", "evaluate", "is_null_group", "join"]


def evaluate(expr: Expr | Text, reader: SeriesReader, span: Span, *, missing_tag: str | None) -> Frame:
    """The frame of `expr` over `span`.

    Raises:
        UnsupportedError: something in it is not evaluated, by name.
    """
    if isinstance(expr, MetricQuery):
        return frame_of(expr, reader, span, missing_tag=missing_tag)
    if isinstance(expr, Number):
        return Frame(constant=expr.value)
    if isinstance(expr, Binary):
        left = evaluate(expr.left, reader, span, missing_tag=missing_tag)
        right = evaluate(expr.right, reader, span, missing_tag=missing_tag)
        return _combined(expr.op, left, right)
    if isinstance(expr, Function):
        return _applied(expr, reader, span, missing_tag)
    raise InputError(f"{expr.value!r} is not a query")


def arithmetic(op: str, left: float, right: float) -> float | None:
    """Plain arithmetic; a division by zero has no value, and neither has what leaves the range of floats."""
    if op == "+":
        return finite(left + right)
    if op == "-":
        return finite(left - right)
    if op == "*":
        return finite(left * right)
    return finite(left / right) if right else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """Two sides of an operator taken together.

    Attributes:
        by: the tag keys of the result.
        pairs: each group of the result, and the groups it comes from on the left and on the right.
        seen: when each group of the result was seen.
    """

    by: tuple[str, ...]
    pairs: Mapping[Group, tuple[Group, Group]]
    seen: Mapping[Group, Seen]


class _Side(Protocol):
    @property
    def by(self) -> tuple[str, ...]: ...

    @property
    def seen(self) -> Mapping[Group, Seen]: ...


def join(left: _Side, left_groups: Iterable[Group], right: _Side, right_groups: Iterable[Group]) -> Joined:
    """Groups are equal by their tags; a side that is not grouped holds for all groups of the other.

    Raises:
        UnsupportedError: the sides are grouped by different tags.
    """
    if left.by and not right.by:
        return Joined(by=left.by, pairs={group: (group, ()) for group in left_groups}, seen=left.seen)
    if right.by and not left.by:
        return Joined(by=right.by, pairs={group: ((), group) for group in right_groups}, seen=right.seen)
    if set(left.by) != set(right.by):
        ours, theirs = ",".join(left.by), ",".join(right.by)
        raise UnsupportedError(f"arithmetic of queries by {{{ours}}} and by {{{theirs}}} is not evaluated")
    order = [right.by.index(key) for key in left.by]
    mirrored = {tuple(group[i] for i in order): group for group in right_groups}
    pairs = {group: (group, theirs) for group, theirs in mirrored.items()}
    pairs |= {group: (group, mirrored.get(group, group)) for group in left_groups}
    theirs_seen = {group: right.seen[theirs] for group, theirs in mirrored.items() if theirs in right.seen}
    return Joined(by=left.by, pairs=pairs, seen=merge_seen(left.seen, theirs_seen))


def is_null_group(group: Group) -> bool:
    """Is the group named by a tag that a series lacks?"""
    return any(tag.lower().endswith(":n/a") for tag in group)


def _combined(op: str, left: Frame, right: Frame) -> Frame:
    if left.constant is not None and right.constant is not None:
        value = arithmetic(op, left.constant, right.constant)
        if value is None:
            raise InputError("the constants of the query have no value together")
        return Frame(constant=value)
    if left.constant is not None:
        constant = left.constant
        return _mapped(right, lambda value: arithmetic(op, constant, value))
    if right.constant is not None:
        constant = right.constant
        return _mapped(left, lambda value: arithmetic(op, value, constant))
    if left.step != right.step:
        raise UnsupportedError(f"arithmetic of roll-ups of {left.step} s and {right.step} s is not evaluated")
    joined = join(left, left.rows, right, right.rows)
    rows: dict[Group, dict[int, float]] = {}
    for group, (ours, theirs) in joined.pairs.items():
        a, b = left.rows.get(ours, {}), right.rows.get(theirs, {})
        values = ((bucket, arithmetic(op, a[bucket], b[bucket])) for bucket in a if bucket in b)
        rows[group] = {bucket: value for bucket, value in values if value is not None}
    return Frame(by=joined.by, step=left.step, rows=rows, seen=joined.seen)


def _mapped(frame: Frame, change: object) -> Frame:
    assert callable(change)
    rows = {}
    for group, row in frame.rows.items():
        values = ((bucket, finite(change(value))) for bucket, value in row.items())
        rows[group] = {bucket: value for bucket, value in values if value is not None}
    return Frame(by=frame.by, step=frame.step, rows=rows, seen=frame.seen)


def _applied(function: Function, reader: SeriesReader, span: Span, missing_tag: str | None) -> Frame:
    if not function.args:
        raise InputError(f"{function.name}() takes a query")
    special = function.name in {DEFAULT_ZERO, EXCLUDE_NULL}
    change = None if special else value_function(function)
    frame = evaluate(function.args[0], reader, span, missing_tag=missing_tag)
    if change is not None:
        return _mapped(frame, change)
    if function.name == EXCLUDE_NULL:
        rows = {group: row for group, row in frame.rows.items() if not is_null_group(group)}
        return Frame(by=frame.by, step=frame.step, rows=rows, seen=frame.seen)
    buckets = span.with_step(frame.step or span.step).buckets()
    zeroed = {group: {b: row.get(b, 0.0) for b in buckets} for group, row in frame.rows.items()}
    if not frame.by and not zeroed:
        zeroed = {(): dict.fromkeys(buckets, 0.0)}
    return Frame(by=frame.by, step=frame.step or span.step, rows=zeroed, seen=frame.seen)

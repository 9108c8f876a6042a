"""Parse Datadog's metric queries and the queries of metric monitors, offline.

The grammar is general: any function and modifier parses, and who evaluates refuses the ones it does not know.
A syntax error is a `QueryError` (an `InputError`) that names the column and what was expected.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import Final, Literal, cast

from otel_kit.datadog.query.ast import (
    AllOf,
    AnyOf,
    Binary,
    Change,
    Comparator,
    Expr,
    Filter,
    Function,
    MetricQuery,
    Modifier,
    MonitorQuery,
    Not,
    Number,
    TagIn,
    TagIs,
    Text,
    Variable,
    Window,
    filter_terms,
    functions,
    metric_queries,
)
from otel_kit.datadog.query.filter import parse_filter, parse_group_by
from otel_kit.datadog.query.scan import QueryError, Scanner
from otel_kit.errors import UnsupportedError

__all__ = [
    "AllOf",
    "AnyOf",
    "Binary",
    "Change",
    "Comparator",
    "Expr",
    "Filter",
    "Function",
    "MetricQuery",
    "Modifier",
    "MonitorQuery",
    "Not",
    "Number",
    "QueryError",
    "TagIn",
    "TagIs",
    "Text",
    "Variable",
    "Window",
    "filter_terms",
    "functions",
    "metric_queries",
    "parse_metric_queries",
    "parse_metric_query",
    "parse_monitor_query",
]

_REMEMBERED: Final = 4096  # several rules read each query
_NUMBER: Final = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_SIGNED: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_NAME: Final = re.compile(r"[A-Za-z_][\w.]*")
_IDENTIFIER: Final = re.compile(r"[A-Za-z_]\w*")
_STRING: Final = re.compile(r"'[^']*'|\"[^\"]*\"")
_SHIFT: Final = re.compile(r"[\w.]+")
_WINDOW: Final = re.compile(r"(last|next|current)_(\d+)(mo|m|h|d|w)\b")
_UNIT_SECONDS: Final = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800, "mo": 2_592_000}
_TIME_AGGREGATORS: Final = ("avg", "sum", "min", "max", "percentile", "change", "pct_change")
_AGGREGATOR: Final = re.compile(rf"(?:{'|'.join(_TIME_AGGREGATORS)})(?=\s*\()")
_COMPARATORS: Final[tuple[Comparator, ...]] = ("<=", ">=", "==", "!=", "<", ">")


def parse_metric_query(text: str) -> Expr:
    """Parse one metric query or the arithmetic of several: ``sum:a{*}.as_count() / sum:b{*}.as_count()``.

    Raises:
        QueryError: with the column of the fault.
    """
    scan = Scanner(text)
    expr = _sum(scan)
    _expect_end(scan)
    return expr


@lru_cache(maxsize=_REMEMBERED)
def parse_metric_queries(text: str) -> tuple[Expr, ...]:
    """Parse the comma-separated queries that ``q`` of an older widget and ``GET /api/v1/query`` take."""
    scan = Scanner(text)
    found = [_sum(scan)]
    while scan.accept(","):
        found.append(_sum(scan))
    _expect_end(scan)
    return tuple(found)


@lru_cache(maxsize=_REMEMBERED)
def parse_monitor_query(text: str) -> MonitorQuery:
    """Parse the query of a ``metric alert`` or ``query alert``: ``avg(last_5m):avg:a.b{*} by {host} > 5``.

    Raises:
        QueryError: with the column of the fault.
        UnsupportedError: for ``formula("...")`` over named queries, a language of its own.
    """
    if text.lstrip().startswith("formula("):
        raise UnsupportedError("a formula() over named queries is not read offline")
    scan = Scanner(text)
    aggregator = _time_aggregator(scan)
    change = None
    scan.expect("(", f" after {aggregator!r}")
    if aggregator in {"change", "pct_change"}:
        relative = aggregator == "pct_change"
        aggregator = _time_aggregator(scan)
        scan.expect("(", f" after {aggregator!r}")
        window = _window(scan)
        scan.expect(")", " after the window")
        scan.expect(",", " and a time shift (1h_ago, last_5m) after the window")
        shift = scan.match(_SHIFT) or scan.fail("a time shift such as 1h_ago")
        change = Change(relative=relative, shift=shift)
    else:
        window = _window(scan)
    scan.expect(")", " after the window")
    scan.expect(":", " after the window")
    expression = _sum(scan)
    comparator = _comparator(scan)
    threshold = None if scan.accept_word("threshold") else _threshold(scan)
    _expect_end(scan)
    return MonitorQuery(
        time_aggregator=aggregator,
        window=window,
        expression=expression,
        comparator=comparator,
        threshold=threshold,
        change=change,
    )


def _expect_end(scan: Scanner) -> None:
    if not scan.at_end():
        scan.fail("an operator (+ - * /) or the end")


def _time_aggregator(scan: Scanner) -> str:
    return scan.match(_AGGREGATOR) or scan.fail(f"a time aggregator ({', '.join(_TIME_AGGREGATORS)})")


def _window(scan: Scanner) -> Window:
    text = scan.match(_WINDOW) or scan.fail("a window such as last_5m, last_1h or last_1d")
    kind, rest = text.split("_")
    amount, unit = re.split(r"(?<=\d)(?=[a-z])", rest)
    seconds = int(amount) * _UNIT_SECONDS[unit]
    return Window(text=text, kind=cast(Literal["last", "next", "current"], kind), seconds=seconds)


def _comparator(scan: Scanner) -> Comparator:
    symbol = next((s for s in _COMPARATORS if scan.accept(s)), None)
    return symbol or scan.fail("an operator (+ - * /) or a comparator (< <= > >= == !=) and a threshold")


def _threshold(scan: Scanner) -> float:
    return _number(scan, scan.match(_SIGNED) or scan.fail("a number as the threshold"))


def _number(scan: Scanner, text: str) -> float:
    if math.isinf(float(text)):
        scan.refuse(f"{text} is too large for a number", scan.column)
    return float(text)


def _sum(scan: Scanner) -> Expr:
    left = _product(scan)
    while True:
        if scan.accept("+"):
            left = Binary(op="+", left=left, right=_product(scan))
        elif scan.accept("-"):
            left = Binary(op="-", left=left, right=_product(scan))
        else:
            return left


def _product(scan: Scanner) -> Expr:
    left = _unary(scan)
    while True:
        if scan.accept("*"):
            left = Binary(op="*", left=left, right=_unary(scan))
        elif scan.accept("/"):
            left = Binary(op="/", left=left, right=_unary(scan))
        else:
            return left


def _unary(scan: Scanner) -> Expr:
    scan.enter()
    try:
        if scan.accept("-"):
            inner = _unary(scan)
            if isinstance(inner, Number):
                return Number(value=-inner.value)
            return Binary(op="*", left=Number(value=-1.0), right=inner)
        if scan.sees("("):
            return _parenthesis(scan)
        number = scan.match(_NUMBER)
        return Number(value=_number(scan, number)) if number else _named(scan)
    finally:
        scan.leave()


def _parenthesis(scan: Scanner) -> Expr:
    opened = scan.column
    scan.expect("(")
    inner = _sum(scan)
    scan.expect(")", f" to close the parenthesis opened at column {opened}")
    return inner


def _named(scan: Scanner) -> Expr:
    column = scan.column
    name = scan.match(_NAME) or scan.fail("a metric query, a function, a number or '('")
    if scan.sees("("):
        return _function(scan, name, column)
    if scan.accept(":"):
        metric = scan.match(_NAME) or scan.fail(f"a metric name after '{name}:'")
        return _metric_query(scan, name, metric, column)
    return _metric_query(scan, "avg", name, column)


def _metric_query(scan: Scanner, aggregator: str, metric: str, column: int) -> MetricQuery:
    condition = parse_filter(scan)
    by = parse_group_by(scan)
    modifiers: list[Modifier] = []
    while scan.accept("."):
        at = scan.column
        name = scan.match(_IDENTIFIER) or scan.fail("a modifier such as as_count() after '.'")
        scan.expect("(", f" after '.{name}'")
        modifiers.append(Modifier(name=name, args=_modifier_args(scan, at), column=at))
    return MetricQuery(
        aggregator=aggregator,
        metric=metric,
        filter=condition,
        by=by,
        modifiers=tuple(modifiers),
        column=column,
    )


def _modifier_args(scan: Scanner, opened: int) -> tuple[str | float, ...]:
    if scan.accept(")"):
        return ()
    args = [_literal(scan)]
    while scan.accept(","):
        args.append(_literal(scan))
    scan.expect(")", f" to close the modifier at column {opened}")
    return tuple(args)


def _literal(scan: Scanner) -> str | float:
    number = scan.match(_SIGNED)
    if number:
        return _number(scan, number)
    quoted = scan.match(_STRING)
    if quoted:
        return quoted[1:-1]
    return scan.match(_NAME) or scan.fail("a number, a word or a quoted string")


def _function(scan: Scanner, name: str, column: int) -> Function:
    scan.expect("(")
    args: list[Expr | Text] = []
    options: list[tuple[str, str | float]] = []
    while not scan.sees(")"):
        key = scan.match(_OPTION)
        if key:
            options.append((key.rstrip("=").strip(), _literal(scan)))
        else:
            args.append(_argument(scan))
        if not scan.accept(","):
            break
    scan.expect(")", f" to close {name}( opened at column {column}")
    return Function(name=name, args=tuple(args), options=tuple(options), column=column)


_OPTION: Final = re.compile(r"[A-Za-z_]\w*\s*=(?!=)")
_BARE: Final = re.compile(r"[A-Za-z_][\w.]*(?=\s*[,)])")


def _argument(scan: Scanner) -> Expr | Text:
    quoted = scan.match(_STRING)
    if quoted:
        return Text(value=quoted[1:-1])
    bare = scan.match(_BARE)
    return Text(value=bare) if bare else _sum(scan)

"""What a Datadog metric query says, as values: the outcome of `otel_kit.datadog.query`.

Nothing here computes; the stand-in evaluates these values and the lints read them.
Grammar: https://docs.datadoghq.com/metrics/advanced-filtering/ and the API reference of
``POST /api/v1/monitor``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

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
    "TagIn",
    "TagIs",
    "Text",
    "Variable",
    "Window",
    "filter_terms",
    "functions",
    "metric_queries",
]

Comparator = Literal["<", "<=", ">", ">=", "==", "!="]


@dataclass(frozen=True, slots=True, kw_only=True)
class TagIs:
    """``key:value``, where the value may hold ``*``; a tag without a value has an empty `value`."""

    key: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TagIn:
    """``key IN (a, b)``."""

    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """``$name``, ``$name.value`` or ``key:$name.value``: a template variable of a dashboard."""

    name: str
    key: str | None = None
    value_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """``!x`` or ``NOT x``."""

    item: Filter


@dataclass(frozen=True, slots=True, kw_only=True)
class AllOf:
    """Each of `items` holds; ``{*}`` and ``{}`` are an empty one."""

    items: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf:
    """One of `items` holds."""

    items: tuple[Filter, ...]


Filter: TypeAlias = "TagIs | TagIn | Variable | Not | AllOf | AnyOf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Modifier:
    """``.as_count()``, ``.rollup(sum, 60)``: what follows a query, in order."""

    name: str
    args: tuple[str | float, ...] = ()
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricQuery:
    """``avg:metric{filter} by {tags}.modifier()``. Without an aggregator it is ``avg``, as in Datadog."""

    aggregator: str
    metric: str
    filter: Filter = AllOf()
    by: tuple[str, ...] = ()
    modifiers: tuple[Modifier, ...] = ()
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A quoted string or a bare word among the arguments of a function."""

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary:
    """``left op right``."""

    op: Literal["+", "-", "*", "/"]
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """``name(expr, ..., key='value')``."""

    name: str
    args: tuple[Expr | Text, ...]
    options: tuple[tuple[str, str | float], ...] = ()
    column: int = field(default=0, compare=False)


Expr: TypeAlias = "MetricQuery | Number | Binary | Function"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """``last_5m``, ``next_2w`` or ``current_1d``, with its length; a month counts 30 days."""

    text: str
    kind: Literal["last", "next", "current"]
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """``change(...)`` or ``pct_change(...)`` of a monitor, against `shift` as it is written."""

    relative: bool
    shift: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorQuery:
    """``avg(last_5m):expression > 5``. `threshold` is None for the keyword ``threshold`` (a dynamic one)."""

    time_aggregator: str
    window: Window
    expression: Expr
    comparator: Comparator
    threshold: float | None
    change: Change | None = None

    @property
    def window_seconds(self) -> int:
        """Length of the evaluation window."""
        return self.window.seconds


def metric_queries(expr: Expr | Text) -> Iterator[MetricQuery]:
    """Each query of a metric in `expr`, from left to right."""
    if isinstance(expr, MetricQuery):
        yield expr
    elif isinstance(expr, Binary):
        yield from metric_queries(expr.left)
        yield from metric_queries(expr.right)
    elif isinstance(expr, Function):
        for arg in expr.args:
            yield from metric_queries(arg)


def functions(expr: Expr | Text) -> Iterator[Function]:
    """Each function of `expr`, outer ones first."""
    if isinstance(expr, Binary):
        yield from functions(expr.left)
        yield from functions(expr.right)
    elif isinstance(expr, Function):
        yield expr
        for arg in expr.args:
            yield from functions(arg)


def filter_terms(condition: Filter) -> Iterator[TagIs | TagIn | Variable]:
    """Each condition on one tag, whatever surrounds it."""
    if isinstance(condition, Not):
        yield from filter_terms(condition.item)
    elif isinstance(condition, (AllOf, AnyOf)):
        for item in condition.items:
            yield from filter_terms(item)
    else:
        yield condition

"""What ``.as_count()``, ``.rollup()`` and ``.fill()`` say, gathered from a query."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Final, Literal

from otel_kit.datadog.query import MetricQuery, Modifier
from otel_kit.errors import InputError, UnsupportedError

__all__ = ["Plan", "plan_of"]

Fill = Literal["default", "null", "zero", "linear", "last"]
_ROLLUPS: Final = ("avg", "sum", "min", "max", "count")
_FILLS: Final = ("null", "zero", "linear", "last")
_KNOWN: Final = ("as_count", "as_rate", "rollup", "fill")
_DEFAULT_FILL_S: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to roll up and fill the series of one query."""

    as_count: bool = False
    as_rate: bool = False
    rollup: str | None = None
    step: int | None = None
    fill: Fill = "default"
    fill_limit_s: int = _DEFAULT_FILL_S


def plan_of(query: MetricQuery) -> Plan:
    """Read the modifiers of `query`.

    Raises:
        UnsupportedError: one that is not evaluated, by name.
        InputError: wrong arguments.
    """
    found: dict[str, Modifier] = {}
    for modifier in query.modifiers:
        if modifier.name not in _KNOWN:
            near = difflib.get_close_matches(modifier.name, _KNOWN, 1)
            raise UnsupportedError(
                f".{modifier.name}() is not evaluated", fix=f"did you mean .{near[0]}()?" if near else None
            )
        found[modifier.name] = modifier
    rollup, step = _rollup(found.get("rollup"))
    fill, limit = _fill(found.get("fill"))
    return Plan(
        as_count="as_count" in found,
        as_rate="as_rate" in found,
        rollup=rollup,
        step=step,
        fill=fill,
        fill_limit_s=limit,
    )


def _rollup(modifier: Modifier | None) -> tuple[str | None, int | None]:
    if modifier is None:
        return None, None
    args = list(modifier.args)
    method = args.pop(0) if args and isinstance(args[0], str) else None
    if method is not None and method not in _ROLLUPS:
        raise InputError(f".rollup({method}) is not one of {', '.join(_ROLLUPS)}")
    if not args:
        return method, None
    if len(args) > 1 or not isinstance(args[0], float) or args[0] < 1:
        raise InputError(".rollup() takes a method and a number of seconds")
    return method, int(args[0])


def _fill(modifier: Modifier | None) -> tuple[Fill, int]:
    if modifier is None:
        return "default", _DEFAULT_FILL_S
    method = modifier.args[0] if modifier.args else "null"
    if method not in _FILLS:
        raise InputError(f".fill({method}) is not one of {', '.join(_FILLS)}")
    limit = modifier.args[1] if len(modifier.args) > 1 else float(_DEFAULT_FILL_S)
    if not isinstance(limit, float):
        raise InputError(".fill() takes a method and a number of seconds")
    return method, int(limit)  # type: ignore[return-value]

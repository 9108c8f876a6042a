"""A value and a past -> a state. Pure.

Recovery: https://docs.datadoghq.com/monitors/guide/recovery-thresholds/. Missing data:
https://docs.datadoghq.com/monitors/configuration/#no-data.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from otel_kit.datadog.query import Comparator

__all__ = ["MissingData", "State", "Thresholds", "missing_data_rule", "state_of", "thresholds_of"]

State = Literal["OK", "Warn", "Alert", "No Data"]
MissingData = Literal["keep", "zero", "show", "notify", "resolve"]
_COMPARE: Final[dict[Comparator, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
# A monitor on `>` recovers at `<=` of the recovery threshold, and so on.
_RECOVERS: Final[dict[Comparator, Comparator]] = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """The levels of a monitor; `critical` is the number in its query."""

    critical: float
    critical_recovery: float | None = None
    warning: float | None = None
    warning_recovery: float | None = None


def thresholds_of(options: Mapping[str, Any], critical: float) -> Thresholds:
    """Read the levels from the options of a monitor."""
    given = options.get("thresholds") or {}
    return Thresholds(
        critical=critical,
        critical_recovery=given.get("critical_recovery"),
        warning=given.get("warning"),
        warning_recovery=given.get("warning_recovery"),
    )


def state_of(value: float, comparator: Comparator, thresholds: Thresholds, previous: State | None) -> State:
    """The state of `value`, given the state before it."""
    if _holds(value, comparator, thresholds.critical, thresholds.critical_recovery, held=previous == "Alert"):
        return "Alert"
    if thresholds.warning is not None:
        held = previous in {"Alert", "Warn"}
        if _holds(value, comparator, thresholds.warning, thresholds.warning_recovery, held=held):
            return "Warn"
    return "OK"


def missing_data_rule(options: Mapping[str, Any], *, counts: bool, defaults_to_zero: bool) -> MissingData:
    """What becomes of a group without data. `counts`: the query uses ``as_count()``."""
    chosen = options.get("on_missing_data")
    if chosen == "show_no_data":
        return "show"
    if chosen == "show_and_notify_no_data" or (not chosen and options.get("notify_no_data")):
        return "notify"
    if chosen == "resolve":
        return "resolve"
    return "zero" if counts and not defaults_to_zero else "keep"


def _holds(value: float, comparator: Comparator, bound: float, recovery: float | None, *, held: bool) -> bool:
    if _COMPARE[comparator](value, bound):
        return True
    if not held or recovery is None or comparator not in _RECOVERS:
        return False
    return not _COMPARE[_RECOVERS[comparator]](value, recovery)

"""One evaluation of one monitor: what each group is now, and whom that has to be told. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from otel_kit.datadog.query import MonitorQuery, functions, parse_monitor_query
from otel_kit.datadog.vocabulary import METRIC_TYPES
from otel_kit.dev.evaluate.frame import Seen
from otel_kit.dev.evaluate.notify import Change, Notification, notification_of
from otel_kit.dev.evaluate.series import SeriesReader
from otel_kit.dev.evaluate.states import (
    MissingData,
    State,
    Thresholds,
    missing_data_rule,
    state_of,
    thresholds_of,
)
from otel_kit.dev.evaluate.template import check_template
from otel_kit.dev.evaluate.window import GroupValue, WindowValues, evaluate_window, is_count_query
from otel_kit.errors import InputError, UnsupportedError

__all__ = ["GroupState", "Outcome", "evaluate_monitor"]

_UNSUPPORTED_OPTIONS: Final = (
    "scheduling_options",
    "notify_by",
    "threshold_windows",
    "variables",
    "min_failure_duration",
    "aggregation",
)
_RETENTION_S: Final = 24 * 3600
_RETENTION: Final = re.compile(r"(\d{1,4})([mhd])")
_UNITS_S: Final = {"m": 60, "h": 3600, "d": 86_400}
#: The name of the one group of a monitor without ``by {}``.
_ALL: Final = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupState:
    """What is remembered of a group. Times are milliseconds; 0 means never.

    Attributes:
        since_ms: when the group came into `state`.
        data_ms: the last point of the group.
        told: the state that recipients know of. No Data may come without a word, and a recovery is told only
            if what it ends was.
        notified_ms: when they were told the last time.
        renotified: how many times `told` was repeated.
    """

    state: State
    value: float | None
    since_ms: int
    data_ms: int = 0
    told: State = "OK"
    notified_ms: int = 0
    renotified: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """All groups of a monitor by name, and the notifications of this evaluation."""

    groups: Mapping[str, GroupState]
    notifications: tuple[Notification, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rules:
    """What the definition of a monitor says, read once per evaluation."""

    query: MonitorQuery
    thresholds: Thresholds
    missing: MissingData
    missing_after_s: int
    full_window: bool
    group_delay_s: float | None
    host_delay_s: int
    delay_s: int
    retention_s: int
    timeout_s: int
    renotify_s: int
    renotify_statuses: frozenset[str]
    renotify_occurrences: int | None


def evaluate_monitor(
    monitor: Mapping[str, Any], reader: SeriesReader, now: float, previous: Mapping[str, GroupState]
) -> Outcome:
    """Evaluate `monitor` (as the API shows it) at `now` (UNIX seconds).

    Raises:
        UnsupportedError: it cannot be evaluated; the message names what stands in the way.
        InputError: its query or its message is wrong.
    """
    rules = _rules(monitor)
    check_template(monitor["message"])
    check_template(monitor["name"])
    end = int(now) - rules.delay_s
    found = evaluate_window(rules.query, reader, end)
    # After the query: what it cannot do says more than the option that goes with it.
    for key in _UNSUPPORTED_OPTIONS:
        if monitor["options"].get(key):
            raise UnsupportedError(f"options.{key} is not evaluated")
    groups: dict[str, GroupState] = {}
    notifications = []
    for name, value in _values(found, previous, end, rules.retention_s).items():
        before = previous.get(name)
        state = _judged(rules, found.by, value, before, end)
        if state is None:
            continue
        after = _moved(before, *state, value, now_ms=int(now * 1000))
        if _tells(rules, before, after, now_ms=int(now * 1000)):
            change = _change(name, before, after)
            after = replace(
                after,
                told=after.state,
                notified_ms=int(now * 1000),
                renotified=after.renotified + 1 if change.repeated else 0,
            )
            notifications.append(notification_of(monitor, change, after.value, rules.thresholds, rules.query))
        groups[name] = after
    return Outcome(groups=groups, notifications=tuple(notifications))


def _rules(monitor: Mapping[str, Any]) -> _Rules:
    if monitor["type"] not in METRIC_TYPES:
        raise UnsupportedError(f"monitors of type '{monitor['type']}' are not evaluated")
    options = monitor["options"]
    query = parse_monitor_query(monitor["query"])
    if query.threshold is None:
        raise UnsupportedError("a dynamic threshold is not evaluated")
    zeros = any(function.name == "default_zero" for function in functions(query.expression))
    timeframe_min = _number(options, "no_data_timeframe") or 2 * query.window_seconds / 60
    group_delay = _number(options, "new_group_delay") if options.get("new_group_delay") is not None else None
    legacy = not options.get("on_missing_data")
    return _Rules(
        query=query,
        thresholds=thresholds_of(options, query.threshold),
        missing=missing_data_rule(options, counts=is_count_query(query), defaults_to_zero=zeros),
        missing_after_s=int(timeframe_min * 60) if legacy else 0,
        full_window=bool(options.get("require_full_window")),
        group_delay_s=group_delay,
        host_delay_s=int(_number(options, "new_host_delay")),
        delay_s=int(_number(options, "evaluation_delay")),
        retention_s=_retention(options.get("group_retention_duration")),
        timeout_s=int(_number(options, "timeout_h") * 3600),
        renotify_s=int(_number(options, "renotify_interval") * 60),
        renotify_statuses=frozenset(map(str, options.get("renotify_statuses") or ("alert", "no data"))),
        renotify_occurrences=int(_number(options, "renotify_occurrences")) or None,
    )


def _number(options: Mapping[str, Any], key: str) -> float:
    """An option that is a number, also as text, as older monitors have it; 0 when it is not set."""
    value = options.get(key) or 0
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    # Beyond a year nothing waits; this keeps every time within the range of a date.
    if not 0 <= found <= 31_622_400:
        raise InputError(f"options.{key} is {value!r}, which is not a number of time")
    return found


def _retention(value: Any) -> int:
    """Seconds that a group is remembered after its last point: 1 to 72 hours, 24 unless said otherwise."""
    if value is None:
        return _RETENTION_S
    found = _RETENTION.fullmatch(value) if isinstance(value, str) else None
    seconds = int(found.group(1)) * _UNITS_S[found.group(2)] if found else 0
    if not 3600 <= seconds <= 72 * 3600:
        raise InputError(f"options.group_retention_duration is {value!r}, which is not 1h to 72h")
    return seconds


def _values(
    found: WindowValues, previous: Mapping[str, GroupState], end: int, retention_s: int
) -> dict[str, GroupValue | None]:
    """Each group that is still remembered; None for one that was never seen."""
    values: dict[str, GroupValue | None] = {
        ",".join(group) or _ALL: value
        for group, value in found.groups.items()
        if not found.by or end - value.seen.last <= retention_s
    }
    for name, state in previous.items():
        grouped = name != _ALL
        last = state.data_ms // 1000
        if name not in values and grouped == bool(found.by) and last > 0 and end - last <= retention_s:
            values[name] = GroupValue(value=None, seen=Seen(first=0, last=last, present=False))
    if not found.by and _ALL not in values:
        values[_ALL] = None
    return values


def _judged(
    rules: _Rules, by: tuple[str, ...], found: GroupValue | None, before: GroupState | None, end: int
) -> tuple[State, float | None] | None:
    """State and value of a group now; None when it is not evaluated."""
    if found is None:
        # Nothing of this query was ever seen. Datadog shows a new monitor like that as No Data.
        return "No Data", None
    if before is None and by and end - found.seen.first < _new_group_delay(rules, by):
        return None
    if rules.full_window and found.seen.first > end - rules.query.window_seconds:
        return (before.state, before.value) if before else None
    overruled = not found.seen.present and rules.missing in {"show", "notify", "resolve"}
    if found.value is None or overruled:
        return _without_data(rules, found, before, end)
    previous = before.state if before else None
    return state_of(found.value, rules.query.comparator, rules.thresholds, previous), found.value


def _without_data(
    rules: _Rules, found: GroupValue, before: GroupState | None, end: int
) -> tuple[State, float | None]:
    age = end - found.seen.last
    if rules.timeout_s and age > rules.timeout_s:
        return "OK", None
    if rules.missing == "resolve":
        return "OK", None
    if rules.missing == "zero":
        previous = before.state if before else None
        return state_of(0.0, rules.query.comparator, rules.thresholds, previous), 0.0
    if rules.missing in {"show", "notify"} and age >= rules.missing_after_s:
        return "No Data", None
    return (before.state, before.value) if before else ("No Data", None)


def _new_group_delay(rules: _Rules, by: tuple[str, ...]) -> int:
    if rules.group_delay_s is not None:
        return int(rules.group_delay_s)
    return rules.host_delay_s if "host" in by else 0


def _moved(
    before: GroupState | None, state: State, value: float | None, found: GroupValue | None, *, now_ms: int
) -> GroupState:
    data_ms = found.seen.last * 1000 if found else 0
    if before is not None and before.state == state:
        return replace(before, value=value, data_ms=data_ms)
    if before is None:
        return GroupState(state=state, value=value, since_ms=now_ms, data_ms=data_ms)
    return replace(before, state=state, value=value, since_ms=now_ms, data_ms=data_ms)


def _change(name: str, before: GroupState | None, after: GroupState) -> Change:
    known: State = before.state if before else "No Data"
    if before is not None and after.state == "OK":
        # What ends is what recipients know of, also when nothing was heard of it for a while.
        known = before.told
    repeated = before is not None and before.state == after.state
    return Change(group=name, before=known, after=after.state, repeated=repeated)


def _tells(rules: _Rules, before: GroupState | None, after: GroupState, *, now_ms: int) -> bool:
    if before is not None and before.state == after.state:
        return _repeats(rules, after, now_ms=now_ms)
    if after.state in {"Alert", "Warn"}:
        return True
    if after.state == "No Data":
        return before is not None and rules.missing == "notify"
    return before is not None and before.told != "OK"


def _repeats(rules: _Rules, state: GroupState, *, now_ms: int) -> bool:
    if not rules.renotify_s or state.told != state.state:
        return False
    if state.state.lower() not in rules.renotify_statuses:
        return False
    if rules.renotify_occurrences is not None and state.renotified >= rules.renotify_occurrences:
        return False
    return now_ms - state.notified_ms >= rules.renotify_s * 1000

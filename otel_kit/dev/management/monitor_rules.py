"""What Datadog's API refuses in a monitor, with its style of message. Pure.

Queries of metric monitors are parsed in full; of the other types only the comparison at the end is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from otel_kit.datadog.query import parse_monitor_query
from otel_kit.datadog.vocabulary import METRIC_TYPES, MISSING_DATA, MONITOR_TYPES
from otel_kit.dev.errors import Refusal
from otel_kit.errors import InputError, UnsupportedError

__all__ = ["check_monitor"]

# These end without a comparison.
_WITHOUT_OPERATOR: Final = frozenset({"composite", "service check", "synthetics alert", "event alert"})
_COMPARISON: Final = re.compile(r"(<=|>=|==|!=|<|>)\s*(-?[\d.eE+-]+|threshold)\s*$")
_LEVELS: Final = frozenset({"critical", "critical_recovery", "ok", "unknown", "warning", "warning_recovery"})
_LARGEST: Final = 1e300


def check_monitor(body: Mapping[str, Any]) -> None:
    """Refuse a monitor that the API would not take; `body` holds all that will be stored."""
    kind, query, options = body.get("type"), body.get("query"), body.get("options") or {}
    if not isinstance(kind, str) or kind not in MONITOR_TYPES:
        _refuse("type", f"{kind!r} is not a monitor type" if kind else "it is required")
    if not isinstance(query, str) or not query.strip():
        _refuse("query", "it is required")
    if not isinstance(options, dict):
        _refuse("options", "it must be an object")
    _check_shapes(body)
    thresholds = options.get("thresholds") or {}
    _check_numbers(thresholds)
    comparison = None if kind in _WITHOUT_OPERATOR else _comparison(str(kind), str(query))
    if comparison:
        _check_thresholds(*comparison, thresholds)
    _check_options(options)


def _check_shapes(body: Mapping[str, Any]) -> None:
    for key in ("name", "message"):
        if not isinstance(body.get(key, ""), str):
            _refuse(key, "it must be a string")
    if not _is_list_of(body.get("tags") or [], str):
        _refuse("tags", "it must be a list of strings")
    priority = body.get("priority")
    if priority is not None and (type(priority) is not int or not 0 <= priority <= 5):
        _refuse("priority", "it must be a number from 1 to 5, or null")
    if not _is_list_of(body.get("assets") or [], dict):
        _refuse("assets", "it must be a list of objects")
    scheduling = (body.get("options") or {}).get("scheduling_options")
    if not isinstance(scheduling or {}, dict):
        _refuse("options.scheduling_options", "it must be an object")


def _is_list_of(value: Any, kind: type) -> bool:
    return isinstance(value, list) and all(isinstance(item, kind) for item in value)


def _comparison(kind: str, query: str) -> tuple[str, float] | None:
    found = _COMPARISON.search(query)
    if found is None:
        _refuse("query", "invalid operator specified: ")
        return None
    operator, number = found.groups()
    if kind in METRIC_TYPES:
        _parse(query)
    try:
        bound = float(number)
    except ValueError:
        return None
    if abs(bound) > _LARGEST:
        _refuse("query", f"{number[:40]} is too large a threshold")
    return operator, bound


def _parse(query: str) -> None:
    try:
        parse_monitor_query(query)
    except UnsupportedError:
        return
    except InputError as error:
        _refuse("query", error.what.removeprefix("cannot parse the query: "))


def _check_numbers(thresholds: Any) -> None:
    if not isinstance(thresholds, dict):
        _refuse("options.thresholds", "it must be an object")
    # Datadog's own editor adds keys that are no numbers (period, comparison); they are kept as they are.
    for key in _LEVELS & thresholds.keys():
        value = thresholds[key]
        if value is not None and (type(value) not in {int, float} or abs(value) > _LARGEST):
            _refuse(f"options.thresholds.{key}", "it must be a number")


def _check_thresholds(operator: str, number: float, thresholds: Mapping[str, Any]) -> None:
    critical, warning = thresholds.get("critical"), thresholds.get("warning")
    if critical is not None and float(critical) != number:
        _refuse(
            "options", f"the alert threshold ({critical:g}) does not match that of the query ({number:g})"
        )
    if warning is not None and operator[0] in "<>":
        first = float(warning) < number if operator[0] == ">" else float(warning) > number
        if not first:
            _refuse(
                "options", f"the warning threshold ({warning:g}) is not reached before {operator} {number:g}"
            )
    bounds: tuple[tuple[str, float | None], ...] = (("critical", number), ("warning", warning))
    for level, bound in bounds:
        recovery = thresholds.get(f"{level}_recovery")
        if recovery is None or operator[0] not in "<>":
            continue
        if bound is None:
            _refuse("options", f"{level}_recovery without a {level} threshold")
            continue
        inside = float(recovery) <= float(bound) if operator[0] == ">" else float(recovery) >= float(bound)
        if not inside:
            _refuse("options", f"{level}_recovery ({recovery:g}) is on the wrong side of {level} ({bound:g})")


def _check_options(options: Mapping[str, Any]) -> None:
    missing = options.get("on_missing_data")
    if missing is not None and (not isinstance(missing, str) or missing not in MISSING_DATA):
        _refuse("options.on_missing_data", f"it must be one of {', '.join(MISSING_DATA)}")
    if missing and (options.get("notify_no_data") or options.get("no_data_timeframe")):
        _refuse("options", "on_missing_data cannot be used with notify_no_data or no_data_timeframe")
    if missing == "resolve" and options.get("timeout_h"):
        _refuse("options", "timeout_h must be 0 when on_missing_data is resolve")
    if options.get("new_group_delay") and options.get("new_host_delay"):
        _refuse("options", "new_group_delay and new_host_delay cannot both be set")
    if options.get("renotify_statuses") and not options.get("renotify_interval"):
        _refuse("options", "renotify_statuses needs renotify_interval")
    timeout = options.get("timeout_h")
    if isinstance(timeout, (int, float)) and not 0 <= timeout <= 24:
        _refuse("options.timeout_h", "it must be between 0 and 24")


def _refuse(parameter: str, reason: str) -> None:
    raise Refusal(400, f"The value provided for parameter '{parameter}' is invalid: {reason}")

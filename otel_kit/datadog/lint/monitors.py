"""The lint rules of monitors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from otel_kit.datadog.lint.message import check_blocks, check_variables
from otel_kit.datadog.lint.rule import Problem, Rule
from otel_kit.datadog.load.interpolate import number_text
from otel_kit.datadog.model import Definition, Json
from otel_kit.datadog.query import QueryError, parse_monitor_query
from otel_kit.datadog.vocabulary import METRIC_TYPES, MISSING_DATA, MONITOR_TYPES
from otel_kit.errors import UnsupportedError, suggest

__all__ = ["MONITOR_RULES"]

_COMPARISON: Final = re.compile(r"(<=|>=|==|!=|<|>)\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*$")
_QUOTED: Final = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'')
_PAIRS: Final = {")": "(", "]": "[", "}": "{"}


def _options(definition: Definition) -> Json:
    return definition.body.get("options") or {}


def _thresholds(definition: Definition) -> dict[str, float]:
    thresholds = _options(definition).get("thresholds") or {}
    return {key: value for key, value in thresholds.items() if isinstance(value, (int, float))}


def _type(definition: Definition) -> Iterator[Problem]:
    kind = definition.body["type"]
    if kind not in MONITOR_TYPES:
        yield ("type",), f"unknown monitor type '{kind}': {suggest(kind, MONITOR_TYPES)}"


def _query(definition: Definition) -> Iterator[Problem]:
    query = str(definition.body["query"])
    if definition.body["type"] in METRIC_TYPES:
        try:
            parse_monitor_query(query)
        except QueryError as error:
            yield ("query",), str(error)
        except UnsupportedError:
            return
    else:
        unbalanced = _unbalanced(query)
        if unbalanced:
            yield ("query",), f"the query is not balanced: {unbalanced}"


def _unbalanced(query: str) -> str | None:
    bare = _QUOTED.sub(lambda match: " " * len(match[0]), query)
    if '"' in bare:
        return f"the quote at column {bare.index(chr(34)) + 1} is not closed"
    opened: list[tuple[str, int]] = []
    for column, char in enumerate(bare, start=1):
        if char in _PAIRS.values():
            opened.append((char, column))
        elif char in _PAIRS and (not opened or opened.pop()[0] != _PAIRS[char]):
            return f"'{char}' at column {column} closes nothing"
    return f"'{opened[-1][0]}' at column {opened[-1][1]} is not closed" if opened else None


def _comparison(definition: Definition) -> tuple[str, float] | None:
    match = _COMPARISON.search(str(definition.body["query"]))
    return (match[1], float(match[2])) if match else None


def _threshold_in_query(definition: Definition) -> Iterator[Problem]:
    comparison, critical = _comparison(definition), _thresholds(definition).get("critical")
    if comparison is None or critical is None or comparison[1] == critical:
        return
    said = f"the query compares with {number_text(comparison[1])}, options.thresholds.critical is"
    hint = "write ${thresholds.critical} in the query"
    yield ("options", "thresholds", "critical"), f"{said} {number_text(critical)}: {hint}"


def _order(definition: Definition) -> Iterator[Problem]:
    """Coming from OK, a value passes recovery, then its threshold; and warning before critical."""
    comparison, thresholds = _comparison(definition), _thresholds(definition)
    sign = {"<": -1, "<=": -1, ">": 1, ">=": 1}.get(comparison[0]) if comparison else None
    if sign is None:
        return
    for first, then, strict in (
        ("warning", "critical", True),
        ("warning_recovery", "warning", False),
        ("critical_recovery", "critical", False),
    ):
        if first not in thresholds or then not in thresholds:
            continue
        a, b = sign * thresholds[first], sign * thresholds[then]
        if a > b or (strict and a == b):
            side = "below" if sign > 0 else "above"
            yield ("options", "thresholds", first), f"'{first}' must be {side} '{then}'"


def _recovery_alone(definition: Definition) -> Iterator[Problem]:
    thresholds = _thresholds(definition)
    for name in ("critical", "warning"):
        if f"{name}_recovery" in thresholds and name not in thresholds:
            yield ("options", "thresholds", f"{name}_recovery"), f"'{name}_recovery' needs '{name}'"


def _no_data(definition: Definition) -> Iterator[Problem]:
    options = _options(definition)
    choice = options.get("on_missing_data")
    if choice is None:
        return
    here = ("options", "on_missing_data")
    if choice not in MISSING_DATA:
        yield here, f"unknown on_missing_data '{choice}': {suggest(str(choice), MISSING_DATA)}"
    for old in ("notify_no_data", "no_data_timeframe"):
        if options.get(old):
            yield ("options", old), f"'{old}' and 'on_missing_data' exclude each other: keep the latter"
    if choice == "resolve" and options.get("timeout_h"):
        yield ("options", "timeout_h"), "'timeout_h' must be 0 with on_missing_data 'resolve'"


def _delays(definition: Definition) -> Iterator[Problem]:
    options = _options(definition)
    if options.get("new_group_delay") is not None and options.get("new_host_delay") is not None:
        yield ("options", "new_host_delay"), "'new_host_delay' and 'new_group_delay' exclude each other"


def _renotify(definition: Definition) -> Iterator[Problem]:
    options: dict[str, Any] = _options(definition)
    for key in ("renotify_statuses", "renotify_occurrences"):
        if options.get(key) and not options.get("renotify_interval"):
            yield ("options", key), f"'{key}' needs 'renotify_interval'"


MONITOR_RULES: Final = (
    Rule(id="monitor-type", about="The type is one that Datadog has.", check=_type),
    Rule(id="query-syntax", about="The query parses; other query languages are balanced.", check=_query),
    Rule(
        id="query-threshold",
        about="The number in the query equals options.thresholds.critical.",
        check=_threshold_in_query,
    ),
    Rule(id="threshold-order", about="Recovery, warning and critical lie in order.", check=_order),
    Rule(id="recovery-alone", about="A recovery threshold has its threshold.", check=_recovery_alone),
    Rule(id="no-data", about="One known choice of what missing data means.", check=_no_data),
    Rule(id="group-delay", about="One of new_group_delay and new_host_delay.", check=_delays),
    Rule(id="renotify", about="Renotification settings have an interval.", check=_renotify),
    Rule(id="message-blocks", about="Each {{#is_...}} of a message is closed.", check=check_blocks),
    Rule(
        id="message-variable",
        about="A {{tag.name}} of a message is a tag that the query groups by.",
        check=check_variables,
    ),
)

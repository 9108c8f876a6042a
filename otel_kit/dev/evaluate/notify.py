"""The notification of a change: its message, rendered, and everyone it mentions. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from otel_kit.datadog.query import MonitorQuery
from otel_kit.dev.evaluate.states import State, Thresholds
from otel_kit.dev.evaluate.template import Situation, recipients, render

__all__ = ["Change", "Notification", "notification_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A group that went from one state to another; `repeated` for a reminder of the same state."""

    group: str
    before: State
    after: State
    repeated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """What recipients get. `name` is the monitor's, rendered like the message."""

    name: str
    change: Change
    value: float | None
    message: str
    recipients: tuple[str, ...]


def notification_of(
    monitor: Mapping[str, Any],
    change: Change,
    value: float | None,
    thresholds: Thresholds,
    query: MonitorQuery,
) -> Notification:
    """Render the message of `monitor` for `change`; a reminder begins with the escalation message."""
    situation = Situation(
        conditions=_conditions(change), variables=_variables(change.group, value, thresholds, query)
    )
    message = render(monitor["message"], situation)
    escalation = monitor["options"].get("escalation_message")
    if change.repeated and escalation:
        message = f"{render(escalation, situation)}\n\n{message}"
    return Notification(
        name=render(monitor["name"], situation),
        change=change,
        value=value,
        message=message,
        recipients=tuple(recipients(message)),
    )


def _conditions(change: Change) -> frozenset[str]:
    words = {"Alert": "alert", "Warn": "warning", "No Data": "no_data", "OK": "recovery"}
    found = {f"is_{words[change.after]}"}
    if change.repeated:
        return frozenset(found | {"is_renotify"})
    if change.after == "OK":
        found.add(f"is_{words[change.before]}_recovery")
    elif change.before != "OK":
        found.add(f"is_{words[change.before]}_to_{words[change.after]}")
    return frozenset(found)


def _variables(
    group: str, value: float | None, thresholds: Thresholds, query: MonitorQuery
) -> dict[str, str]:
    found = {
        "value": _number(value),
        "threshold": _number(thresholds.critical),
        "warn_threshold": _number(thresholds.warning),
        "alert_recovery_threshold": _number(thresholds.critical_recovery),
        "warn_recovery_threshold": _number(thresholds.warning_recovery),
        "comparator": query.comparator,
    }
    for tag in group.split(","):
        key, colon, name = tag.partition(":")
        if colon:
            found[key] = found[f"{key}.name"] = name
    return found


def _number(value: float | None) -> str:
    """At least one decimal, and three of them or three digits, whatever says more."""
    if value is None:
        return ""
    return str(round(float(value), 3)) if abs(value) >= 0.1 else str(float(f"{value:.3g}"))

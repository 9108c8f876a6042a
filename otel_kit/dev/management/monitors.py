"""What Datadog makes of the body of a monitor. Pure.

Held against recordings of the real API: defaults are added, thresholds become floats, trailing whitespace
goes, and the types ``metric alert`` and ``query alert`` follow from the query, not from what was sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from otel_kit.datadog.vocabulary import METRIC_TYPES

__all__ = ["CREATOR", "ORG_ID", "answer", "complete", "merge", "same_type"]

Json = dict[str, Any]
ORG_ID: Final = 1
CREATOR: Final = {"id": 1, "handle": "dev@localhost", "name": "otel-kit dev", "email": "dev@localhost"}
#: Types of the logs family, which also say how groups of a simple monitor are notified.
_EVENT_TYPES: Final = frozenset(
    {
        "log alert",
        "rum alert",
        "ci-pipelines alert",
        "ci-tests alert",
        "error-tracking alert",
        "llm-observability alert",
    }
)
# Recorded: the server sets these itself, whatever the body says.
_SERVER_KEYS: Final = frozenset(
    {
        "id",
        "org_id",
        "created",
        "created_at",
        "modified",
        "deleted",
        "creator",
        "multi",
        "overall_state",
        "overall_state_modified",
        "matching_downtimes",
        "state",
        "classification",
    }
)
_GROUPED: Final = re.compile(r"\}\s*by\s*\{|\.by\(")


def complete(body: Mapping[str, Any], *, monitor_id: int, now: datetime) -> Json:
    """The monitor that a POST of `body` leaves behind."""
    return _settled(
        {
            "name": "",
            "message": "",
            "tags": [],
            "priority": None,
            "restricted_roles": None,
            "restriction_policy": None,
            "draft_status": "published",
            "assets": [],
            **{key: value for key, value in body.items() if key not in _SERVER_KEYS},
            "id": monitor_id,
            "org_id": ORG_ID,
            "created": _iso(now),
            "created_at": int(now.timestamp()) * 1000,
            "modified": _iso(now),
            "deleted": None,
            "overall_state": "No Data",
            "overall_state_modified": None,
            "options": _options(body),
        }
    )


def merge(existing: Mapping[str, Any], body: Mapping[str, Any], *, now: datetime) -> Json:
    """The monitor that a PUT of `body` leaves behind: keys left out stay, `options` is replaced whole."""
    changed = {key: value for key, value in body.items() if key not in _SERVER_KEYS}
    found: Json = {**existing, **changed, "modified": _iso(now)}
    if "options" in body:
        found["options"] = {**_options(found), "silenced": existing["options"].get("silenced", {})}
    return _settled(found)


def answer(
    monitor: Mapping[str, Any], *, with_creator: bool = True, leave_out: frozenset[str] = frozenset()
) -> Json:
    """The monitor as it goes back; a PUT leaves out the creator."""
    creator = {"creator": CREATOR} if with_creator else {}
    return {**{k: v for k, v in monitor.items() if k not in leave_out}, **creator}


def same_type(left: str, right: str) -> bool:
    """Types are equal, or the two names of a metric monitor."""
    return left == right or {left, right} <= METRIC_TYPES


def _settled(monitor: Json) -> Json:
    query = str(monitor["query"]).rstrip()
    kind = monitor["type"]
    if kind in METRIC_TYPES:
        kind = "metric alert" if query.startswith("formula(") else "query alert"
    return {
        **monitor,
        "type": kind,
        "query": query,
        "message": str(monitor["message"]).rstrip(),
        "priority": monitor["priority"] or None,
        "multi": _GROUPED.search(query) is not None,
        "tags": monitor["tags"] or [],
        "assets": [_asset(asset, monitor["id"]) for asset in monitor["assets"] or []],
    }


def _options(body: Mapping[str, Any]) -> Json:
    sent = body.get("options") or {}
    options = {key: value for key, value in sent.items() if key != "silenced"}
    thresholds = _thresholds(options.pop("thresholds", None) or {})
    if thresholds:
        options["thresholds"] = thresholds
    if isinstance(options.get("escalation_message"), str):
        options["escalation_message"] = options["escalation_message"].rstrip()
    options.setdefault("notify_audit", False)
    options.setdefault("include_tags", True)
    if "on_missing_data" not in options:
        options.setdefault("notify_no_data", False)
    if "new_group_delay" not in options:
        options.setdefault("new_host_delay", 300)
    if body.get("type") in _EVENT_TYPES:
        options.setdefault("groupby_simple_monitor", False)
    scheduled = (options.get("scheduling_options") or {}).get("custom_schedule")
    if scheduled and options.get("on_missing_data") == "default":
        del options["on_missing_data"]
    return {**options, "silenced": {}}


def _thresholds(sent: Mapping[str, Any]) -> Json:
    return {
        key: float(value) if isinstance(value, int) and not isinstance(value, bool) else value
        for key, value in sent.items()
        if value is not None
    }


def _asset(asset: Mapping[str, Any], monitor_id: int) -> Json:
    return {"template_variables": {}, "options": {}, **asset, "monitor_id": monitor_id}


def _iso(now: datetime) -> str:
    return now.isoformat(timespec="microseconds")

"""What Datadog makes of the body of a dashboard. Pure.

Held against recordings of the real API: the body is kept as it is, ids are added, and little else changes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from otel_kit.dev.errors import Refusal
from otel_kit.dev.management.monitors import CREATOR

__all__ = ["check_dashboard", "complete_dashboard", "summary"]

Json = dict[str, Any]
_LAYOUTS: Final = ("ordered", "free")
_SERVER_KEYS: Final = frozenset(
    {"id", "author_handle", "author_name", "author_info", "url", "created_at", "modified_at"}
)
_SUMMARY_KEYS: Final = (
    "id",
    "title",
    "description",
    "layout_type",
    "url",
    "created_at",
    "modified_at",
    "author_handle",
)


def complete_dashboard(
    body: Mapping[str, Any],
    *,
    dashboard_id: str,
    existing: Mapping[str, Any] | None,
    now: datetime,
    new_widget_id: Callable[[], int],
) -> Json:
    """The dashboard that a POST, or a PUT over `existing`, of `body` leaves behind.

    Widgets keep the ids they are sent with; those without get new ones, also when a PUT leaves them out.
    """
    moment = now.isoformat(timespec="microseconds")
    kept = {key: value for key, value in body.items() if key not in _SERVER_KEYS}
    notify = kept.get("notify_list")
    widgets = [_with_id(widget, new_widget_id) for widget in body["widgets"]]
    found: Json = {
        "description": None,
        "template_variables": None,
        "restricted_roles": [],
        **kept,
        "notify_list": sorted(notify) if notify else notify,
        "widgets": widgets,
        "id": dashboard_id,
        "author_handle": CREATOR["handle"],
        "author_name": CREATOR["name"],
        "url": f"/dashboard/{dashboard_id}/{_slug(body['title'])}",
        "created_at": existing["created_at"] if existing else moment,
        "modified_at": moment,
    }
    if kept.get("tabs"):
        found["tabs"] = [_with_widget_ids(tab, widgets) for tab in kept["tabs"]]
    return found


def summary(dashboard: Mapping[str, Any], deleted_at: str | None) -> Json:
    """What a list shows of a dashboard."""
    return {
        **{key: dashboard.get(key) for key in _SUMMARY_KEYS},
        "is_read_only": False,
        "deleted_at": deleted_at,
    }


def check_dashboard(body: Mapping[str, Any], existing: Mapping[str, Any] | None = None) -> None:
    """Refuse what the API refuses, in its words where they are recorded."""
    if not isinstance(body.get("title"), str):
        raise Refusal(400, "'title' is required and must be a string")
    if body.get("layout_type") not in _LAYOUTS:
        raise Refusal(400, f"'layout_type' must be one of {', '.join(_LAYOUTS)}")
    if existing is not None and body["layout_type"] != existing["layout_type"]:
        raise Refusal(400, "'layout_type' of a dashboard cannot be changed")
    _check_widgets(body.get("widgets"))
    _check_lists(body)
    for tag in body.get("tags") or ():
        if not str(tag).startswith("team:"):
            raise Refusal(400, "Invalid tag format. Valid tag keys are: team.")
    for variable in body.get("template_variables") or ():
        _check_variable(variable)
    for preset in body.get("template_variable_presets") or ():
        for variable in preset.get("template_variables") or ():
            _check_preset(variable)


def _check_lists(body: Mapping[str, Any]) -> None:
    kinds: dict[str, type] = {
        "tags": str,
        "notify_list": str,
        "template_variables": dict,
        "template_variable_presets": dict,
    }
    found: list[tuple[str, Any, type]] = [
        (key, body.get(key), kind) for key, kind in {**kinds, "tabs": dict}.items()
    ]
    found += [("widget_ids", tab.get("widget_ids"), object) for tab in _objects(body.get("tabs"))]
    for preset in _objects(body.get("template_variable_presets")):
        found.append(("template_variables", preset.get("template_variables"), dict))
    for variable in _objects(body.get("template_variables")):
        found.append(("defaults", variable.get("defaults"), object))
    for key, value, kind in found:
        if value is not None and not (isinstance(value, list) and all(isinstance(x, kind) for x in value)):
            raise Refusal(400, f"'{key}' is invalid")


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _check_widgets(widgets: Any) -> None:
    if not isinstance(widgets, list):
        raise Refusal(400, "'widgets' is required and must be a list")
    for number, widget in enumerate(widgets):
        definition = widget.get("definition") if isinstance(widget, dict) else None
        if not isinstance(definition, dict) or not isinstance(definition.get("type"), str):
            raise Refusal(400, f"widget {number} has no definition with a type")
        if "widgets" in definition:
            _check_widgets(definition["widgets"])


def _check_variable(variable: Mapping[str, Any]) -> None:
    defaults = variable.get("defaults")
    if defaults and variable.get("default") is not None:
        raise Refusal(400, "'template_variables' is invalid")
    if defaults and not all(defaults):
        raise Refusal(400, "Minimum length of parameter 'defaults' should be 1")


def _check_preset(variable: Mapping[str, Any]) -> None:
    values = variable.get("values")
    if values and variable.get("value") is not None:
        raise Refusal(400, f"'template_variables' value '{variable}' is invalid")
    if values is not None and not values:
        raise Refusal(400, "Minimum number of elements in parameter 'values' should be 1")


def _with_id(widget: Mapping[str, Any], new_widget_id: Callable[[], int]) -> Json:
    definition = widget["definition"]
    if isinstance(definition.get("widgets"), list):
        definition = {**definition, "widgets": [_with_id(w, new_widget_id) for w in definition["widgets"]]}
    return {**widget, "definition": definition, "id": widget.get("id") or new_widget_id()}


def _with_widget_ids(tab: Mapping[str, Any], widgets: Sequence[Mapping[str, Any]]) -> Json:
    """Positions written ``"@1"`` become the ids of the widgets there."""

    def resolved(reference: Any) -> Any:
        found = re.fullmatch(r"@(\d+)", str(reference))
        if found is None:
            return reference
        position = int(found.group(1))
        if not 1 <= position <= len(widgets):
            raise Refusal(400, f"a tab names the widget {reference!r}, there are {len(widgets)}")
        return widgets[position - 1]["id"]

    return {**tab, "widget_ids": [resolved(reference) for reference in tab.get("widget_ids") or ()]}


def _slug(title: str) -> str:
    return re.sub(r"\s+", "-", re.sub(r"[^a-z0-9\s-]", "", title.lower()).strip())

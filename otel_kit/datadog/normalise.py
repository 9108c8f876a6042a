"""The form in which an object of the files and one of Datadog can be compared, and what an update sends.

Rule: a top-level key that the files do not write is not managed: it is neither compared nor changed. That
holds for `tags` and `description` too, of which only our mark is ours then. A monitor's `options` are managed
as a whole once they are written, because a PUT replaces them as a whole; a PUT keeps the other keys of a
monitor that it does not name, and drops those of a dashboard, so all of these are sent back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from otel_kit.datadog.diff import Edit, Unordered, diff
from otel_kit.datadog.identity import marked_body
from otel_kit.datadog.model import Definition, Json, Kind, Live
from otel_kit.datadog.vocabulary import METRIC_TYPES, OPTION_DEFAULTS, OPTION_KEYS, SERVER_DASHBOARD_KEYS
from otel_kit.datadog.widgets import widget_edits, with_live_ids
from otel_kit.errors import UnsupportedError

__all__ = ["body_for_create", "body_for_update", "edits"]

_LINE_BREAK: Final = re.compile(r"[ \t]*\n\s*")
_DASHBOARD_SETS: Final = ("notify_list", "tags", "restricted_roles")
#: The key that carries our mark.
_MARKED: Final[dict[Kind, str]] = {"monitor": "tags", "dashboard": "description"}


def edits(definition: Definition, live: Live) -> list[Edit]:
    """What an update would change in Datadog; empty when the object is as the files want it."""
    wanted = body_for_create(definition)
    if _MARKED[definition.kind] not in definition.body:
        del wanted[_MARKED[definition.kind]]
    if definition.kind == "dashboard":
        return list(_dashboard_edits(wanted, live.body))
    return list(diff(_monitor_form(live.body, wanted), _monitor_form(wanted, wanted)))


def body_for_create(definition: Definition) -> Json:
    """The complete object with our mark, trimmed as Datadog would trim it."""
    body = marked_body(definition)
    return body if definition.kind == "dashboard" else _trimmed(body)


def body_for_update(definition: Definition, live: Live) -> Json:
    """What a PUT sends: the complete object, and what is unmanaged as it is now, so that it survives.

    Raises:
        UnsupportedError: a tab of the live dashboard shows a widget that the update would remove.
    """
    body = body_for_create(definition)
    marked = _MARKED[definition.kind]
    if marked not in definition.body:
        body[marked] = live.body[marked]
    if definition.kind == "dashboard":
        return _whole_dashboard(definition, body, live)
    if "options" in body:
        body["options"] = {**_unknown_options(live.body), **body["options"]}
    return body


def _whole_dashboard(definition: Definition, body: Json, live: Live) -> Json:
    carried = {
        key: value
        for key, value in live.body.items()
        if key not in SERVER_DASHBOARD_KEYS and value not in (None, [])
    }
    before = live.body.get("widgets") or []
    widgets = with_live_ids(body["widgets"], before)
    _refuse_lost_tabs(definition, live, _ids(before) - _ids(widgets))
    return {**carried, **body, "widgets": widgets}


def _ids(widgets: list[Json]) -> set[str]:
    return {str(widget["id"]) for widget in widgets if "id" in widget}


def _refuse_lost_tabs(definition: Definition, live: Live, removed: set[str]) -> None:
    for tab in live.body.get("tabs") or []:
        lost = [shown for shown in map(str, tab.get("widget_ids") or []) if shown in removed]
        if lost:
            what = (
                f"the tab '{tab.get('name')}' of dashboard {live.id} '{live.name}' was made by hand and shows"
            )
            raise UnsupportedError(
                f"{what} widget {lost[0]}, which the file would remove",
                where=definition.where("widgets"),
                fix="take the widget out of the tab in Datadog first",
            )


def _trimmed(body: Json) -> Json:
    trimmed = dict(body)
    trimmed["name"] = body["name"].strip()
    trimmed["query"] = _LINE_BREAK.sub(" ", body["query"].strip())
    if isinstance(body.get("message"), str):
        trimmed["message"] = body["message"].rstrip()
    options = body.get("options")
    if isinstance(options, dict) and isinstance(options.get("escalation_message"), str):
        trimmed["options"] = {**options, "escalation_message": options["escalation_message"].rstrip()}
    return trimmed


def _unknown_options(live: Json) -> Json:
    # Options we do not know are not ours to remove; `silenced` survives a PUT by itself.
    options = live.get("options") or {}
    return {k: v for k, v in options.items() if k not in OPTION_KEYS and k != "silenced"}


def _monitor_form(body: Json, wanted: Json) -> Json:
    """The keys that `wanted` writes, each in a form that does not depend on who wrote it."""
    form: Json = {}
    for key in wanted:
        value = body.get(key)
        if key == "tags":
            form[key] = frozenset(map(str, value or []))
        elif key == "options":
            form[key] = _options_form(value or {}, wanted["options"], str(wanted.get("type")))
        elif key == "type" and value in METRIC_TYPES:
            form[key] = "query alert"
        elif key == "priority":
            form[key] = value or None
        elif key == "restricted_roles":
            form[key] = frozenset(value or [])
        else:
            form[key] = value.rstrip() if isinstance(value, str) else value
    return form


def _options_form(options: Json, wanted: Json, monitor_type: str) -> Json:
    form = {k: v for k, v in options.items() if v is not None and (k in OPTION_KEYS or k in wanted)}
    form = {**OPTION_DEFAULTS, **form}
    thresholds = {k: v for k, v in (options.get("thresholds") or {}).items() if v is not None}
    if monitor_type == "service check":
        # The number of check runs that switch the state; one unless it is said.
        thresholds = {"ok": 1, "warning": 1, **thresholds}
    form["thresholds"] = thresholds
    if isinstance(form["escalation_message"], str):
        form["escalation_message"] = form["escalation_message"].rstrip()
    custom_schedule = (wanted.get("scheduling_options") or {}).get("custom_schedule")
    if custom_schedule and form.get("on_missing_data") == "default":
        del form["on_missing_data"]  # Datadog drops it there
    return form


def _dashboard_edits(wanted: Json, live: Json) -> Iterator[Edit]:
    yield from diff(_dashboard_form(live, wanted), _dashboard_form(wanted, wanted))
    yield from widget_edits(wanted["widgets"], live.get("widgets") or [], ("widgets",))


def _dashboard_form(body: Json, wanted: Json) -> Json:
    form: Json = {}
    for key in wanted:
        value: Any = body.get(key)
        if key == "widgets":
            continue
        if key in _DASHBOARD_SETS:
            form[key] = frozenset(value or [])
        elif key == "template_variable_presets":
            form[key] = Unordered(value or [])  # Datadog sorts them by name
        else:
            form[key] = value or None
    return form

"""A dashboard file -> a definition. One file a dashboard: Datadog's own dashboard JSON as YAML, and an `id`.

A widget with ``for_each: {kind: http}`` is repeated over the services that match, with ``${service.name}``
and the like filled in. A ``$env`` without braces is Datadog's own template variable and left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from otel_kit.datadog.identity import ID
from otel_kit.datadog.load.check import (
    known_keys,
    one_of,
    optional_text,
    optional_texts,
    require_list,
    require_mapping,
    require_text,
    shown,
)
from otel_kit.datadog.load.interpolate import interpolate
from otel_kit.datadog.load.repeat import matching, service_values
from otel_kit.datadog.load.services import Service
from otel_kit.datadog.model import Definition
from otel_kit.datadog.vocabulary import DASHBOARD_KEYS, READ_ONLY_DASHBOARD_KEYS, WIDGET_TYPES
from otel_kit.errors import InputError, UnsupportedError
from otel_kit.yaml_tree import Node

__all__ = ["dashboard_of"]

_LAYOUTS = ("ordered", "free")
_OF_TEXT = ("notify_list", "restricted_roles", "tags")
_OF_NAMED = ("template_variable_presets", "template_variables")


def dashboard_of(root: Node, services: Sequence[Service] | None, notes: list[str]) -> Definition:
    """The definition of one file; what a reader should know is added to `notes`.

    Raises:
        InputError: with file and line.
        UnsupportedError: for tabs.
    """
    require_mapping(root, "a dashboard file")
    _known_dashboard_keys(root)
    own_id = require_text(root, "id", "the dashboard")
    if not ID.fullmatch(own_id):
        raise InputError(
            f"'{own_id}' is not an id",
            where=root.at("id").where,
            fix="use a-z, 0-9 and '-' between them; Datadog's own id is never written here",
        )
    entries = {key: node for key, node in root.mapping.items() if key != "id"}
    filled = interpolate(root.with_value({k: v for k, v in entries.items() if k != "widgets"}), {})
    require_text(filled, "title", "the dashboard")
    require_text(filled, "layout_type", "the dashboard")
    one_of(filled.mapping["layout_type"], _LAYOUTS, "layout_type")
    _check(filled)
    if "widgets" not in entries:
        raise InputError("the dashboard has no 'widgets'", where=root.file, fix="add 'widgets:'")
    widgets = entries["widgets"].with_value(list(_widgets(entries["widgets"], services, notes)))
    complete = root.with_value({**filled.mapping, "widgets": widgets})
    return Definition(kind="dashboard", id=own_id, body=complete.plain(), source=complete)


def _check(dashboard: Node) -> None:
    written = {key: node for key, node in dashboard.mapping.items() if node.value is not None}
    for key in written.keys() & {"description", "reflow_type"}:
        optional_text(dashboard, key)
    for key in _OF_TEXT:
        optional_texts(dashboard, key)
    for key in _OF_NAMED:
        for item in require_list(dashboard.mapping[key], f"'{key}'") if key in dashboard.mapping else []:
            require_mapping(item, f"an item of '{key}'")
            require_text(item, "name", f"an item of '{key}'")
    if "default_timeframe" in written:
        require_mapping(written["default_timeframe"], "'default_timeframe'")


def _known_dashboard_keys(root: Node) -> None:
    for key, child in root.mapping.items():
        if key in READ_ONLY_DASHBOARD_KEYS:
            raise InputError(f"'{key}' is written by Datadog", where=child.where, fix="remove it")
        if key == "tabs":
            raise UnsupportedError("tabs are not managed yet", where=child.where, fix="use groups")
    known_keys(root, DASHBOARD_KEYS | {"id"}, "the dashboard")


def _widgets(widgets: Node, services: Sequence[Service] | None, notes: list[str]) -> Iterator[Node]:
    for widget in require_list(widgets, "'widgets'"):
        require_mapping(widget, "a widget")
        for_each = widget.mapping.get("for_each")
        if for_each is None:
            yield _widget(interpolate(widget, {}))
            continue
        body = widget.with_value({k: v for k, v in widget.mapping.items() if k != "for_each"})
        found = matching(for_each, services)
        if not found:
            notes.append(f"{for_each.where}: for_each matches no service")
        for service in found:
            yield _widget(interpolate(body, service_values(service)))


def _widget(widget: Node) -> Node:
    known_keys(widget, ("definition", "id", "layout"), "a widget")
    definition = widget.mapping.get("definition")
    if definition is None:
        raise InputError("a widget has no 'definition'", where=widget.where, fix="add 'definition:'")
    require_mapping(definition, "'definition'")
    _check_type(definition, require_text(definition, "type", "a widget"))
    optional_text(definition, "title")
    own_id = widget.at("id") if "id" in widget.mapping else None
    if own_id is not None and (isinstance(own_id.value, bool) or not isinstance(own_id.value, (int, str))):
        raise InputError(
            f"the id of a widget must be a number or a string, not {shown(own_id)}", where=own_id.where
        )
    if "widgets" in definition.mapping:
        for inner in require_list(definition.mapping["widgets"], "'widgets'"):
            require_mapping(inner, "a widget")
            _widget(inner)
    return widget


def _check_type(definition: Node, written: str) -> None:
    # Only what looks like a slip is refused: Datadog adds types before we know of them.
    near = [] if written in WIDGET_TYPES else get_close_matches(written, WIDGET_TYPES, n=1, cutoff=0.8)
    if near:
        where = definition.at("type").where
        raise InputError(f"unknown widget type '{written}'", where=where, fix=f"did you mean '{near[0]}'?")

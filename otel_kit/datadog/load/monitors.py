"""A monitors file -> definitions: defaults merged, repeated over services, placeholders filled.

::

    defaults:                      # optional; every monitor of the file starts from it
      type: query alert
    monitors:
      http-errors:                 # our id: stable, unique; a repeated monitor gets -SERVICE appended
        for_each: {kind: http}     # optional
        name: ...                  # from here on: Datadog's own monitor JSON, as YAML
        query: ... > ${thresholds.critical}

A definition's own value wins over a default; mappings merge key by key, `tags` are added up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from otel_kit.datadog.identity import ID, TAG_KEY
from otel_kit.datadog.load.check import (
    known_keys,
    optional_text,
    optional_texts,
    require_mapping,
    require_text,
    shown,
)
from otel_kit.datadog.load.interpolate import interpolate, mentions
from otel_kit.datadog.load.options import check_options
from otel_kit.datadog.load.repeat import matching, service_values
from otel_kit.datadog.load.services import Service
from otel_kit.datadog.model import Definition
from otel_kit.datadog.vocabulary import MONITOR_KEYS, READ_ONLY_MONITOR_KEYS
from otel_kit.errors import InputError, UnsupportedError
from otel_kit.yaml_tree import Node

__all__ = ["monitors_of"]


def monitors_of(root: Node, services: Sequence[Service] | None, notes: list[str]) -> Iterator[Definition]:
    """The definitions of one file, in its order; what a reader should know is added to `notes`.

    Raises:
        InputError: with file and line.
        UnsupportedError: for assets.
    """
    require_mapping(root, "a monitors file")
    known_keys(root, ("defaults", "monitors"), "a monitors file")
    if "monitors" not in root.mapping:
        raise InputError(
            "has no 'monitors:'", where=root.file, fix="add 'monitors:' with an id for each monitor"
        )
    defaults = root.mapping.get("defaults")
    if defaults is not None:
        _known_monitor_keys(defaults, "'defaults'", MONITOR_KEYS)
    for key, entry in require_mapping(root.mapping["monitors"], "'monitors'").items():
        _known_monitor_keys(entry, f"the monitor '{key}'", MONITOR_KEYS | {"for_each"})
        complete = _merge(defaults, entry) if defaults else entry
        yield from _repeated(key, complete, services, notes)


def _repeated(
    key: str, entry: Node, services: Sequence[Service] | None, notes: list[str]
) -> Iterator[Definition]:
    for_each = entry.mapping.get("for_each")
    if for_each is None:
        yield _definition(key, entry, {})
        return
    body = entry.with_value({k: v for k, v in entry.mapping.items() if k != "for_each"})
    found = matching(for_each, services)
    if not found:
        notes.append(f"{for_each.where}: for_each of '{key}' matches no service")
    pattern = key if mentions(key, "service.") else f"{key}-${{service.name}}"
    for service in found:
        yield _definition(pattern, body, service_values(service))


def _definition(pattern: str, entry: Node, values: Mapping[str, Any]) -> Definition:
    own_id = str(interpolate(entry.with_value(pattern), values).value)
    if not ID.fullmatch(own_id):
        raise InputError(
            f"'{own_id}' is not an id", where=entry.where, fix="use a-z, 0-9 and '-' between them"
        )
    options = interpolate(entry.at("options") if "options" in entry.mapping else _empty(entry), values)
    check_options(options)
    filled = interpolate(entry, {**values, **_threshold_values(options)})
    _check(filled, f"the monitor '{own_id}'")
    return Definition(kind="monitor", id=own_id, body=filled.plain(), source=filled)


def _empty(entry: Node) -> Node:
    return entry.with_value({})


def _threshold_values(options: Node) -> dict[str, Any]:
    thresholds = options.mapping.get("thresholds")
    if thresholds is None:
        return {}
    values = {f"thresholds.{name}": node.value for name, node in thresholds.mapping.items()}
    return {name: value for name, value in values.items() if value is not None}


def _merge(default: Node, own: Node, key: str = "") -> Node:
    if isinstance(default.value, dict) and isinstance(own.value, dict):
        merged = {k: _merge(v, own.value[k], k) if k in own.value else v for k, v in default.value.items()}
        return own.with_value({**merged, **{k: v for k, v in own.value.items() if k not in merged}})
    if key == "tags" and isinstance(default.value, list) and isinstance(own.value, list):
        return own.with_value([*default.value, *own.value])
    return own


def _known_monitor_keys(node: Node, what: str, known: frozenset[str]) -> None:
    require_mapping(node, what)
    for key, child in node.mapping.items():
        if key == "assets":
            raise UnsupportedError(
                "'assets' are not managed yet", where=child.where, fix="link in the message"
            )
        if key in READ_ONLY_MONITOR_KEYS:
            raise InputError(f"'{key}' in {what} is written by Datadog", where=child.where, fix="remove it")
    known_keys(node, known, what)


def _check(node: Node, what: str) -> None:
    for key in ("name", "type", "query"):
        require_text(node, key, what)
    optional_text(node, "message")
    optional_text(node, "draft_status")
    optional_texts(node, "restricted_roles")
    for item, tag in optional_texts(node, "tags"):
        if tag.startswith(f"{TAG_KEY}:"):
            raise InputError(f"the tag '{tag}' is our own mark", where=item.where, fix="remove it")
    priority = node.mapping.get("priority")
    if priority is not None and (priority.value is True or priority.value not in (None, 1, 2, 3, 4, 5)):
        raise InputError(f"priority must be 1 to 5, not {shown(priority)}", where=priority.where)

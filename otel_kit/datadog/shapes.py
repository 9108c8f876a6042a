"""Is an object that the API answered of the shape that the rest of this package relies on? Pure.

Checked once, where answers come in; anything that is not named here may have any shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from otel_kit.datadog.model import Kind

__all__ = ["misshapen", "unreadable"]

_Test = Callable[[Any], bool]


def _is_id(value: Any) -> bool:
    return isinstance(value, (str, int)) and not isinstance(value, bool)


def _text(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _list(value: Any) -> bool:
    return value is None or isinstance(value, list)


def _texts(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(item, str) for item in value))


def _mapping(value: Any) -> bool:
    return value is None or isinstance(value, dict)


def _tabs(value: Any) -> bool:
    return value is None or (
        isinstance(value, list)
        and all(isinstance(tab, dict) and _list(tab.get("widget_ids")) for tab in value)
    )


_KEYS: Final[dict[Kind, Mapping[str, _Test]]] = {
    "monitor": {
        "id": _is_id,
        "name": _text,
        "type": _text,
        "query": _text,
        "message": _text,
        "tags": _texts,
        "restricted_roles": _texts,
        "options": _mapping,
    },
    "dashboard": {
        "id": _is_id,
        "title": _text,
        "description": _text,
        "layout_type": _text,
        "notify_list": _texts,
        "tags": _texts,
        "restricted_roles": _texts,
        "template_variables": _list,
        "template_variable_presets": _list,
        "tabs": _tabs,
    },
}


#: What must be readable to tell whether an object is ours.
_IDENTITY: Final[dict[Kind, tuple[str, str]]] = {
    "monitor": ("id", "tags"),
    "dashboard": ("id", "description"),
}


def unreadable(kind: Kind, body: Any) -> str | None:
    """Why it cannot be told whether this item of a listing is ours, as the end of a sentence."""
    if not isinstance(body, dict):
        return "it is not an object"
    return next(_key_faults(kind, body, _IDENTITY[kind]), None)


def misshapen(kind: Kind, body: Any, *, whole: bool) -> str | None:
    """What is wrong with `body`, as the end of a sentence; None for an object as it should be.

    Args:
        kind: what it should be.
        body: the JSON of an answer.
        whole: False for the summary of a dashboard that a listing gives.
    """
    return next(_faults(kind, body, whole), None)


def _faults(kind: Kind, body: Any, whole: bool) -> Iterator[str]:
    if not isinstance(body, dict):
        yield "it is not an object"
        return
    yield from _key_faults(kind, body, _KEYS[kind])
    if kind == "monitor":
        if not _mapping((body.get("options") or {}).get("thresholds")):
            yield "'options.thresholds' is something else"
    elif whole:
        yield from _widget_faults(body.get("widgets"))


def _key_faults(kind: Kind, body: Mapping[str, Any], keys: Iterable[str]) -> Iterator[str]:
    for key in keys:
        if not _KEYS[kind][key](body.get(key)):
            yield f"'{key}' is {'something else' if key in body else 'missing'}"


def _widget_faults(widgets: Any) -> Iterator[str]:
    if not isinstance(widgets, list):
        yield "'widgets' is not a list"
        return
    for widget in widgets:
        definition = widget.get("definition") if isinstance(widget, dict) else None
        if not isinstance(definition, dict):
            yield "a widget has no definition"
        elif not _is_id(widget.get("id", 0)):
            yield "a widget's id is not one"
        elif not _text(definition.get("type")) or not _text(definition.get("title")):
            yield "a widget's type or title is not text"
        elif definition.get("widgets") is not None:
            yield from _widget_faults(definition["widgets"])

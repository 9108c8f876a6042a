"""Widgets of a dashboard: which one is which, what differs, and whose id is kept.

Datadog gives every widget an id that stands in the links people share, and a PUT without ids changes them
all. So each wanted widget is matched with a live one: by id, else as an equal, else by type and title, else
by title, else by type, in order. What is matched keeps its id; the comparison is never by index.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from otel_kit.datadog.diff import ABSENT, Edit, Path, Unordered, canonical, diff, moved
from otel_kit.datadog.model import Json

__all__ = ["match_widgets", "widget_edits", "with_live_ids"]

#: What the dashboard editor writes into any widget it saves, and what its absence means.
_EDITOR_DEFAULTS: Final[Json] = {"title_size": "16", "title_align": "left", "time": {}}

_Key = Callable[[Json], Any]


def match_widgets(wanted: Sequence[Json], live: Sequence[Json]) -> list[tuple[int, int]]:
    """Pairs of indexes (wanted, live), in the order of `wanted`."""
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    keys: tuple[_Key, ...] = (lambda w: w.get("id"), _content, _type_and_title, _title, _type)
    for key in keys:
        free: dict[Any, deque[int]] = defaultdict(deque)
        for j, widget in enumerate(live):
            if j not in taken:
                free[key(widget)].append(j)
        for i, widget in enumerate(wanted):
            value = key(widget)
            if i not in pairs and value is not None and free[value]:
                pairs[i] = free[value].popleft()
                taken.add(pairs[i])
    return sorted(pairs.items())


def widget_edits(wanted: Sequence[Json], live: Sequence[Json], path: Path) -> Iterator[Edit]:
    """What turns the live widgets into the wanted ones: added, removed, moved, changed inside."""
    if len(wanted) == len(live) and all(map(_identical, wanted, live)):
        return
    pairs = match_widgets(wanted, live)
    partner = dict(pairs)
    labels = _labels(wanted)
    out_of_place = {pairs[k][0] for k in moved([j for _, j in pairs])}
    for i, widget in enumerate(wanted):
        here = (*path, labels[i])
        if i not in partner:
            yield Edit(path=here, old=ABSENT, new=widget)
            continue
        yield from _inside(widget, live[partner[i]], here)
        if i in out_of_place:
            yield Edit(path=(*here, "position"), old=partner[i] + 1, new=i + 1)
    live_labels = _labels(live)
    for j, widget in enumerate(live):
        if j not in partner.values():
            yield Edit(path=(*path, live_labels[j]), old=widget, new=ABSENT)


def with_live_ids(wanted: Sequence[Json], live: Sequence[Json]) -> list[Json]:
    """The wanted widgets with the ids of their live partners, at every depth; new lists and dicts."""
    partner = dict(match_widgets(wanted, live))
    return [_with_id(w, live[partner[i]]) if i in partner else w for i, w in enumerate(wanted)]


def _with_id(wanted: Json, live: Json) -> Json:
    widget = {**wanted, "id": live["id"]} if "id" in live else dict(wanted)
    inner, live_inner = _inner(wanted), _inner(live)
    if inner is not None:
        widget["definition"] = {**wanted["definition"], "widgets": with_live_ids(inner, live_inner or [])}
    return widget


def _identical(wanted: Json, live: Json) -> bool:
    """Surely no difference, told quickly: most widgets of most plans."""
    inner, live_inner = _inner(wanted) or [], _inner(live) or []
    return (
        wanted.get("id") in (None, live.get("id"))
        and len(inner) == len(live_inner)
        and _bare(wanted) == _bare(live)
        and all(map(_identical, inner, live_inner))
    )


def _bare(widget: Json) -> str:
    definition = {key: value for key, value in widget.get("definition", {}).items() if key != "widgets"}
    return json.dumps([{**widget, "id": None, "definition": None}, definition], sort_keys=True)


def _inside(wanted: Json, live: Json, path: Path) -> Iterator[Edit]:
    yield from diff(_plain(live), _plain(wanted), path)
    inner, live_inner = _inner(wanted), _inner(live)
    if inner is not None or live_inner is not None:
        yield from widget_edits(inner or [], live_inner or [], (*path, "definition", "widgets"))


def _inner(widget: Json) -> list[Json] | None:
    widgets = widget.get("definition", {}).get("widgets")
    return widgets if isinstance(widgets, list) else None


def _plain(widget: Json) -> Json:
    """The widget without its id, its inner widgets and what the editor fills in."""
    definition = {
        key: value
        for key, value in widget.get("definition", {}).items()
        if key != "widgets" and not (key in _EDITOR_DEFAULTS and value == _EDITOR_DEFAULTS[key])
    }
    rest = {key: value for key, value in widget.items() if key not in {"id", "definition"}}
    return {"definition": _unordered_formats(definition), **rest}


def _unordered_formats(value: Any) -> Any:
    # Datadog hands the rules of `conditional_formats` back in any order.
    if isinstance(value, list):
        return [_unordered_formats(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: Unordered(child)
        if key == "conditional_formats" and isinstance(child, list)
        else _unordered_formats(child)
        for key, child in value.items()
    }


def _content(widget: Json) -> str:
    inner = [_content(w) for w in _inner(widget) or []]
    return canonical([_plain(widget), inner])


def _type_and_title(widget: Json) -> tuple[Any, Any] | None:
    definition = widget.get("definition", {})
    title = definition.get("title")
    return (definition.get("type"), title) if title else None


def _title(widget: Json) -> Any:
    return widget.get("definition", {}).get("title") or None


def _type(widget: Json) -> Any:
    return widget.get("definition", {}).get("type")


def _labels(widgets: Sequence[Json]) -> list[str]:
    """``[Requests]``; ``[note]`` where there is no title; ``[note #2]`` for the second of the same."""
    names = [str(w.get("definition", {}).get("title") or _type(w) or "widget") for w in widgets]
    seen: Counter[str] = Counter()
    labels = []
    for name in names:
        seen[name] += 1
        labels.append(f"[{name}]" if seen[name] == 1 else f"[{name} #{seen[name]}]")
    return labels

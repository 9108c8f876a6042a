from __future__ import annotations

import copy
import random
from typing import Any

import pytest

from otel_kit.datadog.diff import ABSENT
from otel_kit.datadog.model import Json
from otel_kit.datadog.widgets import widget_edits, with_live_ids


def chart(title: str, query: str = "avg:a{*}", **more: Any) -> Json:
    return {"definition": {"type": "timeseries", "title": title, "requests": [{"q": query}], **more}}


def group(title: str, *widgets: Json) -> Json:
    return {
        "definition": {"type": "group", "title": title, "layout_type": "ordered", "widgets": list(widgets)}
    }


def note(text: str) -> Json:
    return {"definition": {"type": "note", "content": text}}


WANTED = [note("one"), chart("A"), group("G", chart("B"), chart("C")), note("two"), chart("D")]


def live(widgets: list[Json], start: int = 100) -> list[Json]:
    """The same with ids, as Datadog has them."""
    found = copy.deepcopy(widgets)
    for index, widget in enumerate(found):
        widget["id"] = start + index
        if "widgets" in widget["definition"]:
            widget["definition"]["widgets"] = live(widget["definition"]["widgets"], start * 10)
    return found


def told(wanted: list[Json], existing: list[Json]) -> list[tuple[str, Any, Any]]:
    return [(".".join(map(str, e.path)), e.old, e.new) for e in widget_edits(wanted, existing, ("widgets",))]


def ids(widgets: list[Json]) -> list[Any]:
    return [(w.get("id"), ids(w["definition"].get("widgets", []))) for w in widgets]


def test_equal_widgets_have_no_edits() -> None:
    assert told(WANTED, live(WANTED)) == []


def test_an_added_widget_is_one_edit_and_the_others_keep_their_ids() -> None:
    existing = live(WANTED)
    wanted = [chart("New"), *WANTED]
    assert told(wanted, existing) == [("widgets.[New]", ABSENT, chart("New"))]
    sent = with_live_ids(wanted, existing)
    assert ids(sent) == [(None, []), *ids(existing)]


def test_a_removed_widget_is_one_edit() -> None:
    existing = live(WANTED)
    assert told(WANTED[1:], existing) == [("widgets.[note]", existing[0], ABSENT)]


def test_a_moved_widget_is_one_edit() -> None:
    wanted = [WANTED[4], *WANTED[:4]]
    assert told(wanted, live(WANTED)) == [("widgets.[D].position", 5, 1)]


def test_a_new_title_keeps_the_id() -> None:
    existing = live(WANTED)
    wanted = [WANTED[0], chart("Renamed"), *WANTED[2:]]
    assert told(wanted, existing) == [("widgets.[Renamed].definition.title", "A", "Renamed")]
    assert ids(with_live_ids(wanted, existing)) == ids(existing)


def test_another_type_under_the_same_title_keeps_the_id() -> None:
    existing = live(WANTED)
    wanted = copy.deepcopy(WANTED)
    wanted[1]["definition"]["type"] = "toplist"
    assert told(wanted, existing) == [("widgets.[A].definition.type", "timeseries", "toplist")]
    assert ids(with_live_ids(wanted, existing)) == ids(existing)


def test_a_change_inside_a_group_is_told_by_its_path() -> None:
    wanted = copy.deepcopy(WANTED)
    wanted[2]["definition"]["widgets"][1]["definition"]["requests"][0]["q"] = "avg:b{*}"
    path = "widgets.[G].definition.widgets.[C].definition.requests.0.q"
    assert told(wanted, live(WANTED)) == [(path, "avg:a{*}", "avg:b{*}")]


def test_untitled_widgets_are_numbered() -> None:
    wanted = copy.deepcopy(WANTED)
    wanted[3]["definition"]["content"] = "three"
    assert told(wanted, live(WANTED)) == [("widgets.[note #2].definition.content", "two", "three")]


def test_an_id_in_the_file_decides() -> None:
    existing = live([chart("A"), chart("A")])
    wanted = [{**chart("A", "avg:b{*}"), "id": 101}, chart("A")]
    assert ids(with_live_ids(wanted, existing)) == [(101, []), (100, [])]


def test_what_the_editor_fills_in_is_no_edit() -> None:
    existing = live(WANTED)
    existing[1]["definition"] |= {"title_size": "16", "title_align": "left", "time": {}}
    assert told(WANTED, existing) == []
    existing[1]["definition"]["title_size"] = "13"
    assert told(WANTED, existing) == [("widgets.[A].definition.title_size", "13", ABSENT)]


def test_the_order_of_conditional_formats_means_nothing() -> None:
    formats = [{"comparator": ">", "value": 5}, {"comparator": "<=", "value": 5}]
    wanted = [chart("A", requests=[{"conditional_formats": formats}])]
    existing = live([chart("A", requests=[{"conditional_formats": formats[::-1]}])])
    assert told(wanted, existing) == []


@pytest.mark.parametrize("seed", range(10))
def test_any_order_converges_and_keeps_every_id(seed: int) -> None:
    existing = live(WANTED)
    random.Random(seed).shuffle(existing)
    sent = with_live_ids(WANTED, existing)
    assert sorted(map(str, ids(sent))) == sorted(map(str, ids(existing)))
    assert told(WANTED, sent) == []

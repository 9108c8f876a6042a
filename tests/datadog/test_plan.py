from __future__ import annotations

import copy

import pytest

from otel_kit.datadog.identity import live_object
from otel_kit.datadog.model import Definition, Json, Live
from otel_kit.datadog.plan import Plan, make_plan
from otel_kit.datadog.report import plan_lines
from otel_kit.errors import InputError
from tests.datadog.samples import DASHBOARD, MONITOR, definition, stored


def monitor(own_id: str) -> Definition:
    return definition("monitor", {**MONITOR, "name": own_id.upper()}, own_id)


def edited(live: Live, **change: object) -> Live:
    return live_object(live.kind, {**copy.deepcopy(live.body), **change})


def lines(plan: Plan) -> list[str]:
    return list(plan_lines(plan, lambda text, _tone: text))


def test_creates_updates_and_orphans_in_a_stable_order() -> None:
    a, b, c, gone = monitor("a"), monitor("b"), monitor("c"), monitor("gone")
    board = definition("dashboard", DASHBOARD, "board")
    live = [stored(gone, 9), edited(stored(b, 2), name="by hand"), stored(c, 3)]
    plan = make_plan([board, c, b, a], live)
    assert plan == make_plan([a, b, board, c], live[::-1])
    assert [(x.verb, x.label) for x in plan.actions] == [
        ("create", "monitor 'a'"),
        ("update", "monitor 'b'"),
        ("create", "dashboard 'board'"),
    ]
    assert [o.mark for o in plan.orphans] == ["gone"]
    assert lines(plan) == [
        "Monitors",
        "  + a  A  (sample.yaml:1)",
        "      metric alert: avg(last_5m):avg:system.disk.in_use{env:prod} by {host} > 0.9",
        "  ~ b  B  (sample.yaml:1)",
        '      name: "by hand" -> "B"',
        "",
        "Dashboards",
        "  + board  Storage  (sample.yaml:1)",
        "      ordered layout, widgets: 6",
        "",
        "In Datadog with our mark, but not in these folders (left alone)",
        "  ? monitor 9 'GONE' (gone)",
        "",
        "Plan: 2 to create, 1 to update, 1 unchanged.",
    ]


def test_orphans_alone_are_no_change() -> None:
    plan = make_plan([], [stored(monitor("gone"))])
    assert plan.actions == ()
    assert lines(plan)[-1].startswith("No changes")


def test_what_carries_no_mark_is_not_ours() -> None:
    foreign = live_object("monitor", {"id": 5, **MONITOR, "name": "A"})
    plan = make_plan([monitor("a")], [foreign])
    assert [x.verb for x in plan.actions] == ["create"]
    assert plan.orphans == ()


def test_a_twin_made_by_hand_is_told() -> None:
    twin = live_object(
        "monitor", {**stored(monitor("a"), 5).body, "tags": ["by:hand"], "type": "query alert"}
    )
    other = live_object("monitor", {**twin.body, "id": 6, "query": "avg(last_5m):avg:other{*} > 1"})
    assert lines(make_plan([monitor("a")], [twin, other]))[1:4] == [
        "  + a  A  (sample.yaml:1)",
        "      metric alert: avg(last_5m):avg:system.disk.in_use{env:prod} by {host} > 0.9",
        "      ! an unmanaged monitor 5 has the same name and query, and stays beside it",
    ]
    assert "!" not in "".join(lines(make_plan([monitor("b")], [twin])))


def test_a_copied_object_is_named_and_not_guessed() -> None:
    copied = edited(stored(monitor("a"), 2), name="Copy of A")
    with pytest.raises(InputError) as caught:
        make_plan([monitor("a")], [stored(monitor("a"), 1), copied])
    assert "monitors in Datadog carry the mark otel_kit:a: 1 'A' and 2 'Copy of A'" in str(caught.value)


def test_copies_of_what_is_no_longer_in_files_stop_nothing() -> None:
    plan = make_plan([], [stored(monitor("gone"), 2), stored(monitor("gone"), 1)])
    assert [o.id for o in plan.orphans] == ["1", "2"]


@pytest.mark.parametrize(
    ("wanted", "change", "sentence"),
    [
        (monitor("a"), {"type": "log alert"}, "the type of monitor 7 'A' cannot change from 'log alert'"),
        (
            definition("dashboard", DASHBOARD),
            {"layout_type": "free"},
            "the layout_type of dashboard abc-def-ghi 'Storage' cannot change from 'free' to 'ordered'",
        ),
    ],
)
def test_what_datadog_does_not_change_is_refused(wanted: Definition, change: Json, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        make_plan([wanted], [edited(stored(wanted), **change)])
    assert sentence in str(caught.value)


def test_text_of_many_lines_is_told_by_line() -> None:
    live = edited(stored(monitor("a")), message="Full.\n\nCall somebody.\n@team-storage")
    assert lines(make_plan([monitor("a")], [live]))[2:5] == [
        "      message:",
        "        - Call somebody.",
        "        + Clean up.",
    ]


def test_edits_are_told_with_path_old_and_new() -> None:
    live = stored(monitor("a"))
    body = copy.deepcopy(live.body)
    body["options"]["thresholds"] = {"critical": 0.9}
    body["options"]["require_full_window"] = True
    body["options"]["renotify_interval"] = 60
    body["tags"].append("by:hand")
    told = lines(make_plan([monitor("a")], [live_object("monitor", body)]))
    assert sorted(told[2:6]) == [
        "      + options.thresholds.warning: 0.8",
        "      - options.require_full_window: true",
        '      - tags: "by:hand"',
        "      options.renotify_interval: 60 -> 30",
    ]


def test_widgets_are_told_by_title() -> None:
    wanted = definition("dashboard", DASHBOARD)
    live = stored(wanted)
    body = copy.deepcopy(live.body)
    body["widgets"][2]["definition"]["widgets"][0]["definition"]["requests"][0]["q"] = "sum:by.hand{$env}"
    assert lines(make_plan([wanted], [live_object("dashboard", body)]))[2] == (
        '      widgets[Reads].definition.widgets[Reads].definition.requests[0].q: "sum:by.hand{$env}" '
        '-> "sum:disk.reads{$env}"'
    )

"""What Datadog does to a monitor or dashboard is no difference; what people do to it is."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from otel_kit.datadog.diff import ABSENT
from otel_kit.datadog.identity import live_object
from otel_kit.datadog.model import Json
from otel_kit.datadog.normalise import body_for_create, body_for_update, edits
from otel_kit.errors import UnsupportedError
from tests.datadog.samples import DASHBOARD, MONITOR, definition, stored


def told(wanted_body: Json, change: Json, *, options: Json | None = None) -> list[tuple[str, Any, Any]]:
    """The edits against the stored form with some keys changed; an option None is removed."""
    wanted = definition("monitor", wanted_body)
    body = {**copy.deepcopy(stored(wanted).body), **change}
    for key, value in (options or {}).items():
        body["options"][key] = value
    return [(".".join(map(str, e.path)), e.old, e.new) for e in edits(wanted, live_object("monitor", body))]


@pytest.mark.parametrize(
    ("change", "options"),
    [
        ({"type": "query alert"}, {}),
        ({"type": "metric alert"}, {}),
        ({"tags": ["otel_kit:sample", "env:prod", "team:storage"]}, {}),
        ({"restricted_roles": ["abc"], "creator": {"name": "x"}, "overall_state": "Alert"}, {}),
        ({}, {"silenced": {"host:a": None}}),
        ({}, {"include_tags": True, "notify_audit": False, "new_host_delay": 300, "locked": None}),
        ({}, {"escalation_message": "", "timeout_h": 0}),
        ({}, {"an_option_of_next_year": 5}),
    ],
)
def test_no_difference(change: Json, options: Json) -> None:
    assert told(MONITOR, change, options=options) == []


@pytest.mark.parametrize(
    ("change", "options", "edit"),
    [
        ({"name": "Other"}, {}, ("name", "Other", MONITOR["name"])),
        ({"priority": None}, {}, ("priority", None, 2)),
        ({}, {"renotify_interval": 60}, ("options.renotify_interval", 60, 30)),
        ({}, {"notify_audit": True}, ("options.notify_audit", True, False)),
        ({}, {"require_full_window": True}, ("options.require_full_window", True, ABSENT)),
        ({}, {"thresholds": {"critical": 0.9}}, ("options.thresholds.warning", ABSENT, 0.8)),
    ],
)
def test_exactly_one_difference(change: Json, options: Json, edit: tuple[str, Any, Any]) -> None:
    assert told(MONITOR, change, options=options) == [edit]


def test_a_tag_added_by_hand_is_told_and_removed() -> None:
    tags = [*MONITOR["tags"], "otel_kit:sample", "by:hand"]
    assert told(MONITOR, {"tags": tags}) == [("tags", "by:hand", ABSENT)]


def test_what_nobody_wrote_stays_unmanaged() -> None:
    body = {key: MONITOR[key] for key in ("name", "type", "query")}
    assert told(body, {"message": "by hand", "priority": 1}, options={"renotify_interval": 60}) == []
    wanted = definition("monitor", body)
    assert set(body_for_update(wanted, stored(wanted))) == {"name", "type", "query", "tags"}


def test_an_update_sends_all_options_and_keeps_unknown_ones() -> None:
    wanted = definition("monitor", MONITOR)
    body = copy.deepcopy(stored(wanted).body)
    body["options"] |= {"an_option_of_next_year": 5, "silenced": {"*": None}, "renotify_interval": 99}
    sent = body_for_update(wanted, live_object("monitor", body))
    assert sent["options"] == {**MONITOR["options"], "an_option_of_next_year": 5}
    assert sent["tags"] == [*MONITOR["tags"], "otel_kit:sample"]


def test_what_is_sent_is_trimmed_and_on_one_line() -> None:
    body = {**MONITOR, "name": " A ", "message": "Text. \n\n", "query": "avg(last_5m):avg:a{*}\n   > 0.9 \n"}
    sent = body_for_create(definition("monitor", body))
    assert (sent["name"], sent["message"]) == ("A", "Text.")
    assert sent["query"] == "avg(last_5m):avg:a{*} > 0.9"
    kept = stored(definition("monitor", {**sent, "tags": body["tags"]}))
    assert edits(definition("monitor", body), kept) == []


def test_the_counts_of_a_service_check_have_defaults() -> None:
    check = {
        "name": "x",
        "type": "service check",
        "query": '"a.can_connect".over("*").by("host").last(2).count_by_status()',
        "options": {"thresholds": {"critical": 1}},
    }
    assert told(check, {}, options={"thresholds": {"critical": 1.0, "ok": 1.0, "warning": 1.0}}) == []


def test_a_dashboard_keeps_what_the_files_do_not_write() -> None:
    bare = {key: DASHBOARD[key] for key in ("title", "layout_type", "widgets")}
    wanted = definition("dashboard", bare)
    body = copy.deepcopy(stored(wanted).body)
    body |= {"notify_list": ["x@example.com"], "restricted_roles": ["abc"], "reflow_type": "auto"}
    live = live_object("dashboard", body)
    assert edits(wanted, live) == []
    sent = body_for_update(wanted, live)
    assert (sent["notify_list"], sent["restricted_roles"]) == (["x@example.com"], ["abc"])
    assert sent["reflow_type"] == "auto"
    assert "author_handle" not in sent
    assert "url" not in sent


def test_the_mark_of_a_dashboard_is_the_last_line() -> None:
    sent = body_for_create(definition("dashboard", DASHBOARD))
    assert sent["description"].splitlines()[0] == "Disks."
    assert sent["description"].splitlines()[-1].endswith("[otel_kit:sample]")
    assert DASHBOARD["description"] == "Disks."


def test_text_below_our_line_does_not_lose_the_dashboard() -> None:
    live = stored(definition("dashboard", DASHBOARD))
    body = {**live.body, "description": live.body["description"] + "\nby hand"}
    assert live_object("dashboard", body).mark == "sample"


def test_text_and_tags_by_hand_stay_where_the_files_write_none() -> None:
    body = {key: MONITOR[key] for key in ("name", "type", "query")}
    wanted = definition("monitor", body)
    tags = ["by:hand", "otel_kit:sample"]
    live = live_object("monitor", {**stored(wanted).body, "tags": tags, "name": "by hand"})
    assert [e.path for e in edits(wanted, live)] == [("name",)]
    assert body_for_update(wanted, live)["tags"] == tags

    board = definition("dashboard", {k: v for k, v in DASHBOARD.items() if k != "description"})
    text = "By hand.\n\n" + stored(board).body["description"]
    drawn = live_object("dashboard", {**stored(board).body, "description": text, "title": "by hand"})
    assert [e.path for e in edits(board, drawn)] == [("title",)]
    assert body_for_update(board, drawn)["description"] == text


def test_a_tab_by_hand_is_kept_and_its_widgets_cannot_be_lost() -> None:
    wanted = definition("dashboard", DASHBOARD)
    body = copy.deepcopy(stored(wanted).body)
    body["tabs"] = [{"id": "t", "name": "Mine", "widget_ids": [body["widgets"][3]["id"]]}]
    live = live_object("dashboard", body)
    assert body_for_update(wanted, live)["tabs"] == body["tabs"]
    fewer = definition("dashboard", {**DASHBOARD, "widgets": DASHBOARD["widgets"][:3]})
    with pytest.raises(UnsupportedError, match=r"the tab 'Mine' of dashboard .* shows widget"):
        body_for_update(fewer, live)

"""Plan and apply against the running stand-in, through a proxy that sees each request and can fail it."""

from __future__ import annotations

import pytest

from otel_kit.datadog.apply import apply_plan
from otel_kit.datadog.model import Json
from otel_kit.errors import ApiError, InputError
from tests.datadog.conftest import Org
from tests.datadog.proxy import Fault
from tests.datadog.samples import BOARD, DASHBOARD, MONITOR, definition, monitor, shipped

INVALID = "avg(last_5m):avg:a{*} by {host} > 0.8"  # not the 0.9 of the thresholds


def test_after_an_apply_the_plan_is_empty_and_a_second_apply_writes_nothing(org: Org) -> None:
    ours = shipped()
    assert len(org.apply(ours)) == len(ours)
    org.proxy.requests.clear()
    plan = org.plan(ours)
    assert (plan.actions, plan.orphans, plan.unchanged) == ((), (), len(ours))
    assert org.apply(ours) == []
    assert {method for method, _ in org.proxy.requests} == {"GET"}
    assert len(org.page.monitors()) == sum(d.kind == "monitor" for d in ours)


def test_an_edit_by_hand_is_the_one_difference_and_is_mended(org: Org) -> None:
    ours = [monitor("a"), monitor("b")]
    org.apply(ours)
    a = org.page.monitor("A")
    org.page.call("PUT", f"monitor/{a['id']}", {"options": {**a["options"], "renotify_interval": 99}})
    (action,) = org.plan(ours).actions
    assert [(e.path, e.old, e.new) for e in action.edits] == [(("options", "renotify_interval"), 99, 30)]
    assert org.apply(ours) == ["update A"]
    mended = org.page.monitor("A")
    assert (mended["id"], mended["options"]["renotify_interval"]) == (a["id"], 30)
    assert org.plan(ours).actions == ()


def test_a_changed_dashboard_keeps_its_id_and_those_of_its_widgets(org: Org) -> None:
    org.apply([BOARD])
    (before,) = org.page.dashboards()
    changed: Json = {**DASHBOARD, "widgets": DASHBOARD["widgets"][::-1], "title": "Disks"}
    assert org.apply([definition("dashboard", changed, "board")]) == ["update Disks"]
    (after,) = org.page.dashboards()
    assert after["id"] == before["id"]
    assert [w["id"] for w in after["widgets"]] == [w["id"] for w in before["widgets"]][::-1]
    inner = [w["definition"]["widgets"] for w in (*before["widgets"], *after["widgets"]) if _is_group(w)]
    assert [w["id"] for w in inner[0]] == [w["id"] for w in inner[1]]


def test_what_people_add_to_a_dashboard_survives_an_apply(org: Org) -> None:
    org.apply([BOARD])
    (live,) = org.page.dashboards()
    by_hand: Json = {
        "tabs": [{"id": "1" * 32, "name": "Mine", "widget_ids": [live["widgets"][0]["id"]]}],
        "restricted_roles": ["r"],
        "experience_type": "x",
        "a_key_of_next_year": {"a": False},
    }
    org.page.call("PUT", f"dashboard/{live['id']}", {**live, **by_hand})
    assert org.plan([BOARD]).actions == ()
    changed = definition("dashboard", {**DASHBOARD, "title": "Disks"}, "board")
    assert org.apply([changed]) == ["update Disks"]
    (after,) = org.page.dashboards()
    assert {key: after[key] for key in by_hand} == by_hand


def _is_group(widget: Json) -> bool:
    return bool(widget["definition"]["type"] == "group")


def test_what_carries_no_mark_is_never_touched(org: Org) -> None:
    foreign = org.page.call("POST", "monitor", {**MONITOR, "name": "A"})
    org.page.call("POST", "dashboard", {**DASHBOARD, "title": "By hand"})
    assert org.apply([monitor("a"), BOARD]) == ["create A", "create Storage"]
    kept = org.page.call("GET", f"monitor/{foreign['id']}")
    assert (kept["modified"], kept["tags"]) == (foreign["modified"], foreign["tags"])
    assert sorted(d["title"] for d in org.page.dashboards()) == ["By hand", "Storage"]


def test_what_is_no_longer_in_files_is_told_and_left(org: Org) -> None:
    org.apply([monitor("a"), monitor("gone"), BOARD])
    plan = org.plan([monitor("a")])
    assert plan.actions == ()
    assert [(o.kind, o.mark) for o in plan.orphans] == [("monitor", "gone"), ("dashboard", "board")]
    assert org.apply([monitor("a")]) == []
    assert {m["name"] for m in org.page.monitors()} == {"A", "GONE"}


def test_a_copy_made_in_the_page_stops_everything(org: Org) -> None:
    org.apply([monitor("a")])
    copied = {k: v for k, v in org.page.monitor("A").items() if k in {*MONITOR, "tags"}}
    org.page.call("POST", "monitor", {**copied, "name": "Copy of A"})
    with pytest.raises(InputError, match=r"carry the mark otel_kit:a: \d+ 'A' and \d+ 'Copy of A'"):
        org.apply([monitor("a", message="changed")])


def test_one_invalid_monitor_means_that_nothing_is_written(org: Org) -> None:
    ours = [monitor("a"), monitor("b", query=INVALID), monitor("c"), BOARD]
    with pytest.raises(InputError) as caught:
        org.apply(ours)
    assert "Datadog would refuse sample.yaml:1: monitor 'b'" in str(caught.value)
    assert "0.9" in str(caught.value)
    assert org.proxy.writes() == []
    assert org.page.monitors() == []


def test_a_refused_write_says_what_was_applied_and_a_re_run_goes_on(org: Org) -> None:
    ours = [monitor("a"), monitor("b"), monitor("c")]
    plan = org.plan(ours)
    org.proxy.faults += [Fault(method="PUT", path="/", status=403)]
    org.apply([monitor("b", message="old")])
    plan = org.plan(ours)
    with pytest.raises(ApiError) as caught:
        apply_plan(plan, org.api, lambda _: None)
    told = str(caught.value)
    assert "update of monitor 'b' failed: PUT /api/v1/monitor/" in told
    assert "applied before it: monitor 'a'; not tried: monitor 'c'" in told
    assert org.apply(ours) == ["update B", "create C"]
    assert org.plan(ours).actions == ()


@pytest.mark.parametrize("kind", ["monitor", "dashboard"])
@pytest.mark.parametrize("status", [0, 502, 504])
def test_an_answer_lost_after_the_create_makes_no_duplicate(org: Org, kind: str, status: int) -> None:
    wanted = monitor("a") if kind == "monitor" else BOARD
    org.proxy.faults += [Fault(method="POST", path=f"/api/v1/{kind}", status=status, forward=True)]
    if kind == "monitor":  # the first POST is the validation
        org.proxy.faults[0:0] = [Fault(method="POST", path="/api/v1/monitor/validate", status=502)]
    assert len(org.apply([wanted])) == 1
    assert len(org.page.monitors() + org.page.dashboards()) == 1
    assert org.plan([wanted]).actions == ()


def test_a_create_that_never_arrived_is_sent_again(org: Org) -> None:
    org.proxy.faults += [Fault(method="POST", path="/api/v1/dashboard", status=503)]
    assert org.apply([BOARD]) == ["create Storage"]
    assert len(org.page.dashboards()) == 1


def test_a_rate_limit_is_waited_for(org: Org) -> None:
    limit = {"X-RateLimit-Name": "monitors", "X-RateLimit-Reset": "1", "X-RateLimit-Remaining": "0"}
    org.proxy.faults += [Fault(method="GET", path="/api/v1/monitor", status=429, headers=limit)]
    assert org.plan([monitor("a")]).count("create") == 1
    assert org.waits == ["rate limit of GET /api/v1/monitor: waiting 1 s"]


def test_more_objects_than_a_page_holds(org: Org) -> None:
    boards = [definition("dashboard", {**DASHBOARD, "widgets": []}, f"b{i}") for i in range(105)]
    assert len(org.apply(boards)) == 105
    plan = org.plan(boards)
    assert (plan.actions, plan.unchanged) == ((), 105)
    assert {"X-Datadog-Managed-By": "iac"}.items() <= org.proxy.headers[0].items()

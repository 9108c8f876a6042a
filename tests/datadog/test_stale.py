"""What happens between a plan and its apply, and what a listing hides."""

from __future__ import annotations

import json

import pytest

from otel_kit.datadog.apply import Applied, apply_plan
from otel_kit.errors import ApiError, InputError
from tests.datadog.conftest import Org
from tests.datadog.proxy import Fault
from tests.datadog.samples import BOARD, DASHBOARD, definition, monitor


def empty_listing(kind: str) -> Fault:
    body = b"[]" if kind == "monitor" else b'{"dashboards": []}'
    return Fault(method="GET", path=f"/api/v1/{kind}?", status=200, body=body)


@pytest.mark.parametrize("kind", ["monitor", "dashboard"])
def test_a_listing_that_hides_what_is_there_makes_no_duplicate(org: Org, kind: str) -> None:
    wanted = monitor("a") if kind == "monitor" else BOARD
    org.apply([wanted])
    org.proxy.requests.clear()
    org.proxy.faults.append(empty_listing(kind))
    with pytest.raises(InputError, match=f"changed in Datadog since the plan: {kind} '.*run plan again"):
        org.apply([wanted])
    assert org.proxy.writes() == []


def test_a_duplicate_is_never_written_over(org: Org) -> None:
    org.apply([monitor("a", options={})])
    (before,) = org.page.monitors()
    org.proxy.faults += [empty_listing("monitor"), empty_listing("monitor")]
    told = f"create of monitor 'a' failed: it exists as monitor {before['id']}, which the listing did not"
    with pytest.raises(ApiError, match=told):
        org.apply([monitor("a")])
    assert org.page.monitors() == [before]


@pytest.mark.parametrize("kind", ["monitor", "dashboard"])
def test_an_edit_made_while_the_plan_is_read_is_not_lost(org: Org, kind: str) -> None:
    old, new = (
        (monitor("a"), monitor("a", priority=1))
        if kind == "monitor"
        else (BOARD, definition("dashboard", {**DASHBOARD, "title": "Disks"}, "board"))
    )
    org.apply([old])
    plan = org.plan([new])
    if kind == "monitor":
        org.page.call("PUT", f"monitor/{org.page.monitor('A')['id']}", {"message": "by hand"})
    else:
        (live,) = org.page.dashboards()
        org.page.call("PUT", f"dashboard/{live['id']}", {**live, "reflow_type": "fixed"})
    org.proxy.requests.clear()
    with pytest.raises(InputError, match=f"changed in Datadog since the plan: {kind} '.*run plan again"):
        apply_plan(plan, org.api, lambda _: None)
    assert org.proxy.writes() == []


def test_a_state_that_changes_meanwhile_stops_nothing(org: Org) -> None:
    org.apply([monitor("a")])
    plan = org.plan([monitor("a", priority=1)])
    live = org.page.monitor("A")
    org.page.call("PUT", f"monitor/{live['id']}", {"options": {**live["options"], "silenced": {"*": None}}})
    done: list[str] = []
    apply_plan(plan, org.api, lambda a: done.append(a.live.name))
    assert done == ["A"]


def test_a_listing_that_ignores_the_page_ends(org: Org) -> None:
    full = json.dumps([{"id": i, "tags": []} for i in range(1000)]).encode()
    org.proxy.faults += [
        Fault(method="GET", path="/api/v1/monitor?", status=200, body=full) for _ in range(5)
    ]
    assert org.plan([monitor("a")]).count("create") == 1
    assert org.proxy.requests.count(("GET", "/api/v1/monitor")) == 2


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ZeroDivisionError("x")])
def test_whatever_stops_an_apply_is_told_with_what_was_applied(org: Org, error: BaseException) -> None:
    ours = [monitor("a"), monitor("b"), monitor("c")]

    def stop(applied: Applied) -> None:
        if applied.action.definition.id == "b":
            raise error

    with pytest.raises(ApiError) as caught:
        apply_plan(org.plan(ours), org.api, stop)
    assert "applied before it: monitor 'a', monitor 'b'; not tried: monitor 'c'" in str(caught.value)
    assert org.apply(ours) == ["create C"]

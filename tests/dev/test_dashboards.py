"""Dashboards in the management API: kept as sent, with ids that stay."""

from __future__ import annotations

from typing import Any

import pytest

from tests.dev.dashboards import dashboard
from tests.dev.process import Dev


def test_dashboards_are_kept_as_sent_with_ids_that_stay(dev: Dev) -> None:
    sent = dashboard("Shop: a_b [x]", notify_list=["b@x", "a@x"], unknown={"kept": [1, None]}, id="")
    _, made, _ = dev.ask("POST", "/api/v1/dashboard", sent)
    assert made["notify_list"] == ["a@x", "b@x"]
    assert made["unknown"] == {"kept": [1, None]}
    assert made["url"] == f"/dashboard/{made['id']}/shop-ab-x"
    path = f"/api/v1/dashboard/{made['id']}"
    assert dev.get(path) == made
    inner = made["widgets"][1]["definition"]["widgets"][0]["id"]
    ids = [made["widgets"][0]["id"], made["widgets"][1]["id"], inner]
    assert len(set(ids)) == 3
    # With their ids widgets stay who they are; without, all of them are new.
    _, kept, _ = dev.ask("PUT", path, {**dashboard("T"), "widgets": made["widgets"]})
    assert [w["id"] for w in kept["widgets"]] == ids[:2]
    assert kept["widgets"][1]["definition"]["widgets"][0]["id"] == inner
    assert kept["created_at"] == made["created_at"]
    _, replaced, _ = dev.ask("PUT", path, dashboard("T"))
    assert not {w["id"] for w in replaced["widgets"]} & set(ids)
    assert replaced["notify_list"] is None


def test_tabs_refer_to_widgets_by_position(dev: Dev) -> None:
    tabs = [
        {"id": "t1", "name": "one", "widget_ids": ["@1"]},
        {"id": "t2", "name": "two", "widget_ids": ["@2"]},
    ]
    _, made, _ = dev.ask("POST", "/api/v1/dashboard", dashboard("Tabs", tabs=tabs))
    assert [t["widget_ids"] for t in made["tabs"]] == [[w["id"]] for w in made["widgets"]]
    tabs[0]["widget_ids"] = ["@3"]
    assert dev.ask("POST", "/api/v1/dashboard", dashboard("Tabs", tabs=tabs))[0] == 400


def test_dashboards_are_listed_deleted_and_restored(dev: Dev) -> None:
    made = [dev.ask("POST", "/api/v1/dashboard", dashboard(f"listed {n}"))[1]["id"] for n in range(3)]

    def listed(query: str = "") -> list[str]:
        return [d["id"] for d in dev.get(f"/api/v1/dashboard{query}")["dashboards"]]

    everything = listed()
    assert everything[-3:] == made
    assert listed(f"?start={len(everything) - 2}&count=1") == [made[1]]
    entries = {"data": [{"id": made[0], "type": "dashboard"}]}
    assert dev.ask("DELETE", "/api/v1/dashboard", entries)[:2] == (204, None)
    assert dev.ask("GET", f"/api/v1/dashboard/{made[0]}")[:2] == (
        404,
        {"errors": [f"Dashboard with ID {made[0]} not found"]},
    )
    assert listed("?filter[deleted]=true")[-1:] == [made[0]]
    assert dev.ask("PATCH", "/api/v1/dashboard", entries)[0] == 204
    assert made[0] in listed()
    assert dev.ask("PUT", f"/api/v1/dashboard/{made[0]}", dashboard("x", layout_type="free"))[0] == 400


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"title": None}, "'title' is required"),
        ({"layout_type": "grid"}, "'layout_type' must be one of"),
        ({"widgets": None}, "'widgets' is required"),
        ({"widgets": [{}]}, "widget 0 has no definition with a type"),
        ({"tags": ["env:prod"]}, "Invalid tag format. Valid tag keys are: team."),
    ],
)
def test_a_wrong_dashboard_is_refused(dev: Dev, change: dict[str, Any], message: str) -> None:
    status, found, _ = dev.ask("POST", "/api/v1/dashboard", {**dashboard("wrong"), **change})
    assert status == 400
    assert message in found["errors"][0]

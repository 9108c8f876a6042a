"""Monitors as a running stand-in evaluates them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tests.dev.monitors import created
from tests.dev.otlp import KEY, counts, metrics
from tests.dev.process import running
from tests.parts import eventually


def test_monitors_are_evaluated_and_remembered(tmp_path: Path) -> None:
    options = ("--db", str(tmp_path / "dev.sqlite"), "--evaluate-every", "100ms")
    with running(*options) as dev:
        broken = created(dev, "not evaluated", query="avg(last_4h):anomalies(avg:a{*}, 'basic', 2) >= 1")[
            "id"
        ]
        bad = created(dev, "bad", message="{{#is_alert}}{{route.name}}: {{value}} @team-x{{/is_alert}}")["id"]
        tags = {"service": "shop", "route": "/a"}
        sent = metrics([counts("requests", 11, tags=tags)])
        assert dev.ask("POST", "/v1/metrics", sent, headers=KEY)[0] == 200

        def alerted() -> list[Any]:
            return list(dev.get(f"/dev/api/notifications?monitor_id={bad}"))

        (told,) = eventually(alerted, what="the monitor alerts")
        assert told["message"] == "/a: 11.0 @team-x"
        assert (told["group"], told["from"], told["to"]) == ("route:/a", "No Data", "Alert")
        assert (told["recipients"], told["value"], told["monitor_name"]) == (["@team-x"], 11.0, "bad")
        shown = {m["id"]: m for m in dev.get("/dev/api/monitors")}
        assert shown[broken]["error"] == "the function anomalies() is not evaluated"
        assert shown[broken]["overall_state"] == "No Data"
        assert (shown[bad]["error"], shown[bad]["overall_state"]) == (None, "Alert")
        assert [g["state"] for g in shown[bad]["groups"]] == ["Alert"]
        (kept,) = dev.get(f"/api/v1/monitor/{bad}?group_states=alert")["state"]["groups"].values()
        assert (kept["name"], kept["status"]) == ("route:/a", "Alert")
        dev.part.kill()
    # The state is known, so nothing is told again.
    with running(*options) as dev:
        assert {m["id"]: m["overall_state"] for m in dev.get("/dev/api/monitors")}[bad] == "Alert"
        after = created(dev, "after", query="avg(last_4h):anomalies(avg:b{*}, 'basic', 2) >= 1")["id"]
        assert after > bad

        def evaluated() -> bool:
            return any(m["id"] == after and m["error"] for m in dev.get("/dev/api/monitors"))

        # Monitors are evaluated in the order of their ids: `bad` was, too.
        eventually(evaluated, what="a round of evaluation after the restart")
        assert len(dev.get("/dev/api/notifications")) == 1
        assert dev.ask("DELETE", f"/api/v1/monitor/{bad}")[0] == 200
        assert bad not in [m["id"] for m in dev.get("/dev/api/monitors")]


def test_a_sum_out_of_range_shows_as_no_value() -> None:
    with running("--evaluate-every", "100ms") as dev:
        sent = metrics([counts("huge", 1e308, tags={"n": str(n)}) for n in range(2)])
        assert dev.ask("POST", "/v1/metrics", sent, headers=KEY)[0] == 200
        made = created(dev, "huge", query="sum(last_5m):sum:huge{*} > 1")
        told = created(dev, "told", query="sum(last_5m):max:huge{*} > 1")
        eventually(lambda: dev.get(f"/dev/api/notifications?monitor_id={told['id']}"))
        shown = {m["id"]: m for m in dev.get("/dev/api/monitors")}
        assert [g["value"] for g in shown[made["id"]]["groups"]] == [None]
        now = int(time.time())
        found = dev.get(f"/api/v1/query?query=sum:huge{{*}},max:huge{{*}}&from={now - 300}&to={now + 60}")
        assert [[value for _, value in s["pointlist"]] for s in found["series"]] == [[1e308]]
        assert len(dev.get("/api/v1/monitor")) == 2

"""The management API as its users see it: the unmodified client, monitors, paging, errors."""

# mypy: disable-error-code=no-untyped-call

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from datadog_api_client import ApiClient, Configuration
from datadog_api_client.exceptions import ApiException
from datadog_api_client.v1.api.authentication_api import AuthenticationApi
from datadog_api_client.v1.api.dashboards_api import DashboardsApi
from datadog_api_client.v1.api.metrics_api import MetricsApi
from datadog_api_client.v1.api.monitors_api import MonitorsApi
from datadog_api_client.v1.model.monitor import Monitor
from datadog_api_client.v1.model.monitor_type import MonitorType
from datadog_api_client.v1.model.monitor_update_request import MonitorUpdateRequest

from tests.dev.dashboards import dashboard
from tests.dev.monitors import body, created
from tests.dev.otlp import KEY, counts, metrics
from tests.dev.process import Dev


@pytest.fixture
def client(dev: Dev) -> Iterator[ApiClient]:
    configuration = Configuration(host=dev.url, api_key={"apiKeyAuth": "any", "appKeyAuth": "any"})
    with ApiClient(configuration) as found:
        yield found


def test_the_unmodified_client_manages_monitors(client: ApiClient) -> None:
    assert AuthenticationApi(client).validate().valid is True
    api = MonitorsApi(client)
    made = api.create_monitor(
        Monitor(
            type=MonitorType("query alert"),
            name="typed",
            query="avg(last_5m):avg:system.load.1{*} > 5",
            message="m",
            tags=["team:x"],
        )
    )
    assert api.get_monitor(made.id).query == "avg(last_5m):avg:system.load.1{*} > 5"
    assert "typed" in [m.name for m in api.list_monitors(name="typ", monitor_tags="team:x")]
    changed = api.update_monitor(made.id, MonitorUpdateRequest(name="typed again"))
    assert (changed.name, changed.message, changed.tags) == ("typed again", "m", ["team:x"])
    assert api.check_can_delete_monitor([made.id]).data.ok == [made.id]
    assert api.delete_monitor(made.id).deleted_monitor_id == made.id
    with pytest.raises(ApiException) as caught:
        api.get_monitor(made.id)
    assert caught.value.status == 404


def test_the_unmodified_client_reads_dashboards_and_series(dev: Dev, client: ApiClient) -> None:
    api = DashboardsApi(client)
    status, made, _ = dev.ask("POST", "/api/v1/dashboard", dashboard("Typed"))
    assert status == 200
    assert api.get_dashboard(made["id"]).title == "Typed"
    assert made["id"] in [d.id for d in api.list_dashboards().dashboards]
    assert api.delete_dashboard(made["id"]).deleted_dashboard_id == made["id"]
    at = 1_790_000_000
    sent = metrics([counts("client.query", 4, at=at * 1_000_000_000, tags={"a": "b"})])
    assert dev.ask("POST", "/v1/metrics", sent, headers=KEY)[0] == 200
    found = MetricsApi(client).query_metrics(
        _from=at - 60, to=at + 60, query="sum:client.query{*} by {a}.as_count()"
    )
    assert [(s.scope, s.pointlist[0].value[1]) for s in found.series] == [("a:b", 4.0)]


def test_defaults_coercions_and_trimming(dev: Dev) -> None:
    found = created(
        dev,
        "coerced  ",
        message="text \n",
        priority=0,
        options={"thresholds": {"critical": 10, "warning": 5}},
    )
    assert found["message"] == "text"
    assert found["priority"] is None
    assert found["multi"] is True
    assert found["options"] == {
        "thresholds": {"critical": 10.0, "warning": 5.0},
        "notify_audit": False,
        "notify_no_data": False,
        "new_host_delay": 300,
        "include_tags": True,
        "silenced": {},
    }
    assert '"critical":10.0' in json.dumps(found, separators=(",", ":"))
    assert created(dev, "flipped", type="metric alert")["type"] == "query alert"


def test_a_put_keeps_what_it_leaves_out_and_replaces_options(dev: Dev) -> None:
    made = created(
        dev, "put", tags=["a:1"], options={"renotify_interval": 60, "thresholds": {"critical": 10}}
    )
    path = f"/api/v1/monitor/{made['id']}"
    status, found, _ = dev.ask("PUT", path, {"options": {"thresholds": {"critical": 10, "warning": None}}})
    assert status == 200
    assert (found["name"], found["tags"]) == ("put", ["a:1"])
    assert "renotify_interval" not in found["options"]
    assert found["options"]["thresholds"] == {"critical": 10.0}
    assert "creator" not in found
    assert found["modified"] > made["modified"]
    status, found, _ = dev.ask("PUT", path, {"type": "log alert", "query": 'logs("x").last("5m") > 10'})
    assert (status, found) == (400, {"errors": ["The type of a monitor cannot be changed"]})


def test_a_second_monitor_like_another_is_refused(dev: Dev) -> None:
    made = created(dev, "twin")
    expected = {"errors": [f"Duplicate of an existing monitor_id:{made['id']} org_id:1"]}
    assert dev.ask("POST", "/api/v1/monitor", body("twin"))[:2] == (400, expected)
    other = created(dev, "twin", tags=["differs"])
    assert dev.ask("PUT", f"/api/v1/monitor/{other['id']}", {"tags": []})[:2] == (400, expected)
    assert dev.ask("PUT", f"/api/v1/monitor/{made['id']}", {"tags": []})[0] == 200


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"query": "avg(last_5m):avg:a{* > 1"},
            "at column 22: expected '}' to close the filter opened at column 19",
        ),
        ({"query": "query"}, "parameter 'query' is invalid: invalid operator specified: "),
        ({"type": "logs alert"}, "'logs alert' is not a monitor type"),
        ({"type": None}, "parameter 'type' is invalid: it is required"),
        ({"query": ""}, "parameter 'query' is invalid: it is required"),
        ({"options": {"thresholds": {"critical": 11}}}, "(11) does not match that of the query (10)"),
        (
            {"options": {"thresholds": {"critical": 10, "warning": 12}}},
            "the warning threshold (12) is not reached",
        ),
        ({"options": {"thresholds": {"critical_recovery": 11}}}, "wrong side"),
        ({"options": {"thresholds": {"critical": "ten"}}}, "it must be a number"),
        (
            {"options": {"on_missing_data": "default", "notify_no_data": True}},
            "cannot be used with notify_no_data",
        ),
        ({"options": {"on_missing_data": "zero"}}, "it must be one of"),
        ({"options": {"new_group_delay": 60, "new_host_delay": 60}}, "cannot both be set"),
        ({"options": {"renotify_statuses": ["alert"]}}, "needs renotify_interval"),
        ({"options": {"timeout_h": 25}}, "between 0 and 24"),
        ({"options": []}, None),
        ({"options": "x"}, "it must be an object"),
        ({"tags": "x"}, "it must be a list of strings"),
        ({"priority": 9}, "from 1 to 5"),
    ],
)
def test_a_wrong_monitor_is_refused_by_create_and_by_validate(
    dev: Dev, change: dict[str, Any], message: str | None
) -> None:
    for path in ("/api/v1/monitor/validate", "/api/v1/monitor"):
        status, found, _ = dev.ask("POST", path, {**body(f"wrong {change}"), **change})
        if message is None:
            assert status == 200, found
        else:
            assert status == 400, found
            assert message in found["errors"][0]


def test_lists_are_filtered_and_paged(dev: Dev) -> None:
    made = [created(dev, f"paged {n}", tags=[f"n:{n}", "paged:yes"]) for n in range(5)]
    ids = [m["id"] for m in made]

    def listed(query: str) -> list[int]:
        return [m["id"] for m in dev.get(f"/api/v1/monitor?{query}")]

    assert listed("monitor_tags=paged:yes") == ids
    assert listed("monitor_tags=paged:yes,n:3") == [ids[3]]
    assert listed("name=PAGED%202") == [ids[2]]
    assert listed("monitor_tags=paged:yes&page=1&page_size=2") == ids[2:4]
    assert listed("monitor_tags=paged:yes&page=2&page_size=2") == ids[4:]
    assert listed(f"monitor_tags=paged:yes&id_offset={ids[2]}") == ids[3:]
    assert set(ids) <= set(listed("tags=service:shop"))
    assert listed("tags=service:other") == []
    assert dev.ask("GET", "/api/v1/monitor?page_size=0")[0] == 400
    assert dev.ask("GET", "/api/v1/monitor?group_states=bad")[0] == 400


def test_optional_parts_are_shown_when_asked_for(dev: Dev) -> None:
    made = created(dev, "shown")
    plain = dev.get(f"/api/v1/monitor/{made['id']}")
    assert "restriction_policy" not in plain
    assert "assets" not in plain
    query = "with_restriction_policy=true&with_assets=true&with_downtimes=true&group_states=all"
    full = dev.get(f"/api/v1/monitor/{made['id']}?{query}")
    assert (full["restriction_policy"], full["assets"], full["matching_downtimes"]) == (None, [], [])
    assert full["state"] == {"groups": {}}


def test_keys_and_rate_limits(dev: Dev) -> None:
    for path in ("/api/v1/monitor", "/api/v1/dashboard", "/api/v1/query"):
        assert dev.ask("GET", path, headers={"DD-API-KEY": "any"})[:2] == (403, {"errors": ["Forbidden"]})
    assert dev.ask("GET", "/api/v1/validate", headers={})[0] == 403
    assert dev.ask("GET", "/api/v1/validate", headers={"DD-API-KEY": "any"})[:2] == (200, {"valid": True})
    _, _, first = dev.ask("GET", "/api/v1/dashboard")
    _, _, second = dev.ask("GET", "/api/v1/dashboard")
    assert int(first["x-ratelimit-limit"]) > 1000
    assert first["x-ratelimit-name"] == "dashboard_get"
    assert 1 <= int(second["x-ratelimit-reset"]) <= int(second["x-ratelimit-period"]) == 60
    if int(first["x-ratelimit-reset"]) >= int(second["x-ratelimit-reset"]):
        assert int(second["x-ratelimit-remaining"]) == int(first["x-ratelimit-remaining"]) - 1


def test_what_is_not_stood_in_for_is_named(dev: Dev) -> None:
    status, found, _ = dev.ask("POST", "/api/v1/slo", {})
    assert (status, found) == (404, {"errors": ["the stand-in does not answer POST /api/v1/slo"]})


def test_numbers_that_json_cannot_hold_are_refused_and_break_nothing(dev: Dev) -> None:
    text = json.dumps(body("too large", options={"renotify_interval": 7})).replace("7", "1e999")
    status, found, _ = dev.ask("POST", "/api/v1/monitor", text.encode())
    assert (status, "1e999 is no number" in found["errors"][0]) == (400, True)
    query = "avg(last_5m):avg:a{*} > 1e999"
    status, found, _ = dev.ask("POST", "/api/v1/monitor", body("too large", query=query))
    assert (status, "too large" in found["errors"][0]) == (400, True)
    assert "too large" not in [m["name"] for m in dev.get("/api/v1/monitor")]


@pytest.mark.parametrize("text", [b"{", b"[]", b"null", b'{"name": NaN}', b"[" * 100_000])
def test_a_body_that_is_no_object_is_a_400(dev: Dev, text: bytes) -> None:
    status, found, _ = dev.ask("POST", "/api/v1/monitor", text)
    assert status == 400
    assert "JSON" in found["errors"][0]

"""Answers that are not those of Datadog's API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from otel_kit.datadog.apply import apply_plan
from otel_kit.errors import ApiError, OtelKitError
from tests.datadog.conftest import API_KEY, APP_KEY, Org
from tests.datadog.proxy import Fault
from tests.datadog.samples import BOARD, monitor


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (
            Fault(method="GET", path="/", status=401, body=b'{"errors": ["Unauthorized"]}'),
            "GET /api/v1/monitor was refused with 401: Unauthorized; check the keys",
        ),
        (
            Fault(method="GET", path="/", status=403, body=f'{{"errors": ["no {API_KEY}"]}}'.encode()),
            "GET /api/v1/monitor was refused with 403: no ***; check the keys and the application key's",
        ),
        (
            Fault(method="GET", path="/", status=200, body=b"<html>Sign in</html>"),
            "GET /api/v1/monitor was answered with an HTML page, not by Datadog's API; a proxy",
        ),
        (
            Fault(method="GET", path="/", status=407, body=b"<html>\xff\xfe</html>"),
            "GET /api/v1/monitor was refused with a page that is no text, not by Datadog's API",
        ),
        (
            Fault(method="GET", path="/", status=302, headers={"Location": "http://127.0.0.1:1/"}),
            "GET /api/v1/monitor was redirected (302), not by Datadog's API",
        ),
        (
            Fault(method="GET", path="/", status=200, body=b'[{"id": 1, "na'),
            "GET /api/v1/monitor was answered with broken JSON",
        ),
        (
            Fault(method="GET", path="/", status=200, body=b'{"monitors": []}'),
            "GET /api/v1/monitor was answered with JSON of another shape",
        ),
    ],
)
def test_a_bad_answer_is_one_sentence_with_the_request(org: Org, fault: Fault, sentence: str) -> None:
    org.proxy.faults.append(fault)
    with pytest.raises(OtelKitError) as caught:
        org.plan([monitor("a")])
    told = str(caught.value)
    assert told.startswith(sentence)
    assert "\n" not in told
    assert API_KEY not in told
    assert APP_KEY not in told


def test_a_fault_that_lasts_is_told(org: Org) -> None:
    org.proxy.faults += [Fault(method="GET", path="/", status=503) for _ in range(4)]
    with pytest.raises(ApiError, match=r"GET /api/v1/monitor was refused with 503: injected; Datadog has a"):
        org.plan([])
    assert len(org.proxy.requests) == 4


OURS = {"id": 1, "tags": ["otel_kit:a"], "name": "n", "type": "query alert", "query": "q"}
LISTED = {"id": "a-b-1", "title": "t", "description": "[otel_kit:board]"}
WHOLE = {**LISTED, "layout_type": "ordered", "widgets": []}


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ([5], "monitor None: it is not an object"),
        ([{"tags": []}], "monitor None: 'id' is missing"),
        ([{"id": 1, "tags": 5}], "monitor 1: 'tags' is something else"),
        ([{**OURS, "name": 5}], "monitor 1: 'name' is something else"),
        ([{**OURS, "type": [1]}], "monitor 1: 'type' is something else"),
        ([{**OURS, "options": [1]}], "monitor 1: 'options' is something else"),
        ([{**OURS, "options": {"thresholds": [1]}}], "monitor 1: 'options.thresholds' is something else"),
    ],
)
def test_a_listing_of_another_shape_is_one_sentence(org: Org, answer: Any, told: str) -> None:
    body = json.dumps(answer).encode()
    org.proxy.faults.append(Fault(method="GET", path="/api/v1/monitor?", status=200, body=body))
    with pytest.raises(ApiError) as caught:
        org.plan([monitor("a")])
    sentence = f"GET /api/v1/monitor was answered with JSON of another shape ({told}); "
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ([], "it is not an object"),
        ({}, "'id' is missing"),
        (LISTED, "'widgets' is not a list"),
        ({**WHOLE, "description": 5}, "'description' is something else"),
        ({**WHOLE, "notify_list": 5}, "'notify_list' is something else"),
        ({**WHOLE, "tags": [{}]}, "'tags' is something else"),
        ({**WHOLE, "tabs": [{"widget_ids": 5}]}, "'tabs' is something else"),
        ({**WHOLE, "widgets": [1]}, "a widget has no definition"),
        ({**WHOLE, "widgets": [{"id": 1, "definition": None}]}, "a widget has no definition"),
        ({**WHOLE, "widgets": [{"id": [1], "definition": {}}]}, "a widget's id is not one"),
        ({**WHOLE, "widgets": [{"definition": {"title": [1]}}]}, "a widget's type or title is not text"),
        ({**WHOLE, "widgets": [{"definition": {"widgets": 5}}]}, "'widgets' is not a list"),
    ],
)
def test_a_dashboard_of_another_shape_is_one_sentence(org: Org, answer: Any, told: str) -> None:
    for path, body in (("?", {"dashboards": [LISTED]}), ("/", answer)):
        fault = Fault(
            method="GET", path=f"/api/v1/dashboard{path}", status=200, body=json.dumps(body).encode()
        )
        org.proxy.faults.append(fault)
    with pytest.raises(ApiError) as caught:
        org.plan([BOARD])
    sentence = f"GET /api/v1/dashboard/a-b-1 was answered with JSON of another shape (no dashboard: {told}); "
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"5"])
def test_a_write_that_is_answered_oddly_says_what_was_applied(org: Org, body: bytes) -> None:
    ours = [monitor("a"), monitor("b"), monitor("c")]
    plan = org.plan(ours)

    def garble(_: Any) -> None:
        if not org.proxy.faults:
            org.proxy.faults.append(
                Fault(method="POST", path="/api/v1/monitor", status=200, body=body, forward=True)
            )

    with pytest.raises(ApiError) as caught:
        apply_plan(plan, org.api, garble)
    told = str(caught.value)
    assert "create of monitor 'b' failed: POST /api/v1/monitor was answered with" in told
    assert "applied before it: monitor 'a'; not tried: monitor 'c'" in told
    assert org.apply(ours) == ["create C"]


def test_an_api_that_is_not_there_is_no_deleted_object(org: Org) -> None:
    org.proxy.faults.append(Fault(method="GET", path="/", status=404))
    with pytest.raises(
        ApiError, match="GET /api/v1/monitor was answered with 404: injected, not by Datadog's"
    ):
        org.plan([])

"""The management API against recordings of the real one: each recorded chain is played to the stand-in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.dev.process import Dev, running
from tests.parts import ROOT

RECORDINGS = ROOT / "../shared/corpora/datadog/recordings/v1"
pytestmark = pytest.mark.skipif(
    not RECORDINGS.is_dir(),
    reason="needs the published recordings of Datadog's API in ../shared/corpora, "
    "which are not part of this repository",
)

Json = dict[str, Any]

#: Parts of an answer that differ between any two runs of the real API as well.
VARIES = re.compile(
    r"(^|\.)(id|org_id|url|created|created_at|modified|modified_at|deleted_at|creator|author_handle|author_name"
    r"|monitor_id|overall_state_modified)$"
)

#: What the real API answers and the stand-in does not, and why. Any other difference fails the test.
FIELDS: dict[str, str] = {
    "draft_status": "came to the API in 2025: older recordings lack it",
    "assets": "came to the API in 2025: older recordings lack it",
    "restriction_policy": "came to the API in 2024: older recordings lack it",
    "options.groupby_simple_monitor": "came to logs monitors in 2024: one older recording lacks it",
    "options.avalanche_window": "set in two organisations only",
    "options.locked": "set in one recording of 2022 only",
    "is_read_only": "left the API in 2025: older recordings have it",
    "run_as": "set in one organisation only",
    "restricted": "set in one organisation only",
    "experience_type": "set in one organisation only",
}
CALLS: dict[str, str] = {
    r"\S+ /api/v1/monitor/(groups/)?search.*": "search is not part of it: 404 by name",
    r"\S+ /api/v1/dashboard/public.*": "shared dashboards are not part of it: 404 by name",
    r"\S+ /api/v[12]/(roles|downtime|slo|synthetics|powerpacks).*": "other resources that a scenario needs",
    r"GET /api/v1/monitor\?page=\d+&page_size=2": "shows what else the recorded organisation held",
    r"GET /api/v1/dashboard\?.*": "shows what else the recorded organisation held",
}
SCENARIOS: dict[str, str] = {
    'Get a monitor\'s details with downtime returns "OK" response': "downtimes are not part of the stand-in",
    "Get a synthetics monitor's details": "the monitor is made by a synthetics test",
}


@pytest.fixture(scope="module")
def api() -> Iterator[Dev]:
    with running() as found:
        yield found


def recordings(name: str) -> list[Json]:
    path = RECORDINGS / f"{name}.json"
    return list(json.loads(path.read_text())["recordings"]) if path.exists() else []


@pytest.mark.parametrize("name", ["monitors", "dashboards"])
def test_recorded_answers_are_given(api: Dev, name: str) -> None:
    played, differing = 0, []
    for recording in recordings(name):
        for call, difference in play(api, recording):
            played += 1
            if difference:
                differing.append(f"{recording['scenario']}: {call}: {difference}")
    assert played >= {"monitors": 50, "dashboards": 240}[name]
    assert not differing, "\n".join(differing)


def play(api: Dev, recording: Json) -> Iterator[tuple[str, str]]:
    """Each call that is compared, with how its answer differs; ids of the recording become ours."""
    if recording["scenario"] in SCENARIOS:
        return
    ids: dict[str, str] = {}
    for interaction in recording["interactions"]:
        request, response = interaction["request"], interaction["response"]
        query = "&".join(f"{key}={value}" for key, value in request["query"])
        call = f"{request['method']} {request['path']}{'?' if query else ''}{query}"
        if any(re.fullmatch(pattern, call) for pattern in CALLS):
            continue
        expected = json.loads(response["body"]["value"] or "null")
        path = translated(call.partition(" ")[2], ids)
        body = translated(json.dumps(request["body"].get("value")), ids)
        status, found, _ = api.ask(request["method"], path, json.loads(body))
        if status == 200 and isinstance(expected, dict) and "id" in expected:
            ids[str(expected["id"])] = str(found["id"])
        if status != response["status"]:
            yield call, f"status {status} instead of {response['status']}: {found}"
        else:
            yield call, "; ".join(differences(json.loads(translated(json.dumps(expected), ids)), found, ""))


def translated(text: str, ids: dict[str, str]) -> str:
    for theirs, ours in ids.items():
        text = text.replace(theirs, ours)
    return text


def differences(expected: Any, found: Any, path: str) -> Iterator[str]:
    if VARIES.search(path) or (path in FIELDS and "<absent>" in (expected, found)):
        return
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in expected.keys() | found.keys():
            at = f"{path}.{key}" if path else key
            yield from differences(expected.get(key, "<absent>"), found.get(key, "<absent>"), at)
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for number, (left, right) in enumerate(zip(expected, found, strict=True)):
            yield from differences(left, right, f"{path}[{number}]")
    elif "widget_ids" in path:
        # Widget ids are new in each run; that they are numbers of the dashboard's widgets is tested apart.
        if type(expected) is not type(found):
            yield f"{path}: {expected!r} became {found!r}"
    elif expected != found:
        yield f"{path}: {expected!r} became {found!r}"


def test_the_tables_name_nothing_that_never_happens() -> None:
    """An exception that no recording needs any more must go."""
    everything = [r for name in ("monitors", "dashboards") for r in recordings(name)]
    scenarios = {r["scenario"] for r in everything}
    calls = [
        f"{i['request']['method']} {i['request']['path']}"
        + ("?" + "&".join(f"{k}={v}" for k, v in i["request"]["query"]) if i["request"]["query"] else "")
        for r in everything
        for i in r["interactions"]
    ]
    assert set(SCENARIOS) <= scenarios
    assert [p for p in CALLS if not any(re.fullmatch(p, call) for call in calls)] == []


def test_most_of_the_recorded_calls_are_compared() -> None:
    """The share of calls to monitors and dashboards that is held against the stand-in, not excused."""
    total = excused = 0
    for recording in [r for name in ("monitors", "dashboards") for r in recordings(name)]:
        for interaction in recording["interactions"]:
            request = interaction["request"]
            if not re.match(r"/api/v1/(monitor|dashboard)(/(?!public|search|groups)|$)", request["path"]):
                continue
            total += 1
            listed = request["method"] == "GET" and request["path"] in {
                "/api/v1/dashboard",
                "/api/v1/monitor",
            }
            excused += recording["scenario"] in SCENARIOS or (listed and bool(request["query"]))
    assert (total - excused) / total >= 0.95

"""Monitors and dashboards that nobody here wrote: the stand-in takes them, and says what it evaluates."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from otel_kit.dev.evaluate.monitor import evaluate_monitor
from otel_kit.errors import UnsupportedError
from tests.dev.memory import NOW, Memory
from tests.dev.process import Dev
from tests.parts import ROOT

CORPUS = ROOT / "../shared/corpora/datadog/integrations-extras"
pytestmark = pytest.mark.skipif(
    not CORPUS.is_dir(),
    reason="needs the monitors and dashboards of DataDog/integrations-extras in ../shared/corpora, "
    "which are not part of this repository",
)


def definitions(kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(CORPUS.glob(f"*/{kind}/*.json")):
        found = json.loads(path.read_text())
        yield f"{path.parent.parent.name}/{path.name}", found.get("definition", found)


def test_every_monitor_is_taken_and_comes_back_as_it_is(dev: Dev) -> None:
    refused = {}
    for name, definition in definitions("monitors"):
        status, found, _ = dev.ask("POST", "/api/v1/monitor", {**definition, "name": name})
        if status != 200:
            refused[name] = found
            continue
        assert found["query"] == definition["query"].rstrip()
        assert found["message"] == definition["message"].rstrip()
        assert dev.get(f"/api/v1/monitor/{found['id']}")["options"] == found["options"]
    assert refused == {}


def test_every_dashboard_is_taken_and_comes_back_as_it_is(dev: Dev) -> None:
    refused = {}
    for name, definition in definitions("dashboards"):
        status, found, _ = dev.ask("POST", "/api/v1/dashboard", definition)
        if status != 200:
            refused[name] = found
            continue
        assert dev.get(f"/api/v1/dashboard/{found['id']}") == found
        assert without_ids(found["widgets"]) == without_ids(definition["widgets"])
    # Datadog's integrations carry tags that its API does not take from anybody else.
    message = "Invalid tag format. Valid tag keys are: team."
    assert refused == {"external_secrets/external_secrets_overview.json": {"errors": [message]}}


def without_ids(value: Any) -> Any:
    if isinstance(value, list):
        return [without_ids(item) for item in value]
    if isinstance(value, dict):
        return {key: without_ids(item) for key, item in value.items() if key != "id"}
    return value


def test_most_metric_monitors_are_evaluated_and_the_others_refused_by_name() -> None:
    evaluated = 0
    reasons: Counter[str] = Counter()
    for name, definition in definitions("monitors"):
        try:
            evaluate_monitor({"id": 1, "name": name, **definition}, Memory(), NOW, {})
            evaluated += 1
        except UnsupportedError as error:
            reasons[error.what] += 1
    assert evaluated == 28
    assert reasons == {
        "the function anomalies() is not evaluated": 9,
        "the function diff() is not evaluated": 1,
        "the function per_minute() is not evaluated": 1,
        "the window next_2w is not evaluated": 1,
        "monitors of type 'log alert' are not evaluated": 3,
        "monitors of type 'service check' are not evaluated": 2,
        "monitors of type 'event-v2 alert' are not evaluated": 1,
    }

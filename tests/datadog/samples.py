"""Definitions and stored objects that several tests share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from otel_kit.datadog.identity import live_object, marked_body
from otel_kit.datadog.load import load_definitions
from otel_kit.datadog.model import Definition, Json, Kind, Live
from otel_kit.datadog.vocabulary import DASHBOARD_KEYS, MONITOR_KEYS
from otel_kit.dev.management.dashboards import complete_dashboard
from otel_kit.dev.management.monitors import complete
from otel_kit.yaml_tree import Node
from tests.parts import ROOT

CORPORA = (Path(__file__).parent / "../../../shared/corpora/datadog").resolve()

MONITOR: Json = {
    "name": "Disk of {{host.name}}",
    "type": "metric alert",
    "query": "avg(last_5m):avg:system.disk.in_use{env:prod} by {host} > 0.9",
    "message": "Full.\n\nClean up.\n@team-storage",
    "tags": ["team:storage", "env:prod"],
    "priority": 2,
    "options": {
        "thresholds": {"critical": 0.9, "warning": 0.8},
        "on_missing_data": "show_no_data",
        "evaluation_delay": 60,
        "renotify_interval": 30,
    },
}


def _chart(title: str, query: str) -> Json:
    request = {"q": query, "display_type": "line", "style": {"palette": "dog_classic"}}
    return {"definition": {"type": "timeseries", "title": title, "requests": [request]}}


DASHBOARD: Json = {
    "title": "Storage",
    "description": "Disks.",
    "layout_type": "ordered",
    "template_variables": [{"name": "env", "prefix": "env", "defaults": ["*"]}],
    "notify_list": ["b@example.com", "a@example.com"],
    "widgets": [
        {"definition": {"type": "note", "content": "Read me."}},
        _chart("Used", "avg:system.disk.in_use{$env} by {host}"),
        {
            "definition": {
                "type": "group",
                "title": "Reads",
                "layout_type": "ordered",
                "widgets": [_chart("Reads", "sum:disk.reads{$env}"), _chart("Waits", "avg:disk.waits{$env}")],
            }
        },
        _chart("Free", "avg:system.disk.free{$env} by {host}"),
    ],
}


def definition(kind: Kind, body: Json, own_id: str = "sample") -> Definition:
    """A definition that was not loaded from a file."""
    return Definition(kind=kind, id=own_id, body=body, source=Node({}, "sample.yaml", 1))


def monitor(own_id: str, **change: Any) -> Definition:
    """A monitor named by its id in capitals."""
    return definition("monitor", {**MONITOR, "name": own_id.upper(), **change}, own_id)


BOARD = definition("dashboard", DASHBOARD, "board")


def stored(wanted: Definition, number: int = 7) -> Live:
    """The object as Datadog has it after a create, by the stand-in's rules."""
    body = json.loads(json.dumps(marked_body(wanted)))
    now = datetime(2026, 11, 24, tzinfo=timezone.utc)
    if wanted.kind == "monitor":
        return live_object("monitor", complete(body, monitor_id=number, now=now))
    ids = iter(range(1000, 100_000))
    made = complete_dashboard(
        body, dashboard_id="abc-def-ghi", existing=None, now=now, new_widget_id=lambda: next(ids)
    )
    return live_object("dashboard", made)


def shipped() -> list[Definition]:
    """What this repository ships."""
    loaded = load_definitions(monitors=ROOT / "monitors", dashboards=ROOT / "dashboards")
    return list(loaded.definitions)


def writable(kind: Kind, body: Json) -> Json:
    """What a file may hold of an exported object."""
    known = MONITOR_KEYS if kind == "monitor" else DASHBOARD_KEYS
    return {key: value for key, value in body.items() if key in known}


def corpus(kind: Kind) -> Iterator[tuple[str, Json]]:
    """Real monitors or dashboards, by file; nothing where the corpora are not there."""
    for path in sorted(CORPORA.glob(f"integrations-extras/*/{kind}s/*.json")):
        body: Any = json.loads(path.read_text())
        exported = body["definition"] if kind == "monitor" else body
        yield f"{path.parent.parent.name}/{path.name}", writable(kind, exported)

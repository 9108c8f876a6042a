"""Whatever arrives: it is stored or refused with a reason, and never an accident."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_kit.dev.errors import Refusal
from otel_kit.dev.intake.decode import JSON, decode
from otel_kit.dev.intake.receive import answer, receive
from otel_kit.dev.model import Signal
from otel_kit.dev.store.database import open_database
from otel_kit.dev.store.retention import Retention
from otel_kit.dev.store.writer import Writer
from tests.dev.otlp import counts, histogram, log_lines, metrics, resource, spans
from tests.dev.process import Dev

BODIES: dict[Signal, tuple[dict[str, Any], Any]] = {
    "traces": (spans("000000000000000000000000000000ab", "00000000000000ab"), ExportTraceServiceRequest),
    "metrics": (
        metrics([counts("c", 1, tags={"a": "b"}), histogram("h", [0.1, 3], bounds=[1, 2])]),
        ExportMetricsServiceRequest,
    ),
    "logs": (
        log_lines([("a", "INFO", 9, ""), ({"k": 1}, "", 0, "")], resource({"x": "y"})),
        ExportLogsServiceRequest,
    ),
}
STRANGE: list[Any] = [
    None,
    "",
    "\ud800",
    "\x00",
    -1,
    2**70,
    1e400,
    [],
    {},
    True,
    "NaN",
    "99999999999999999999",
]


@pytest.mark.parametrize("signal", list(BODIES))
def test_damaged_protobuf(signal: Signal, tmp_path: Path) -> None:
    source = random.Random(1)
    body, kind = BODIES[signal]
    whole = decode(json.dumps(body).encode(), JSON, kind()).SerializeToString()
    with open_database(tmp_path / "db") as database:
        writer = Writer(database, Retention(database))
        kept = sum(
            _offered(writer, signal, _damaged(whole, source), "application/x-protobuf") for _ in range(600)
        )
    assert 0 < kept < 600


@pytest.mark.parametrize("signal", list(BODIES))
def test_strange_json(signal: Signal, tmp_path: Path) -> None:
    source = random.Random(2)
    text = json.dumps(BODIES[signal][0])
    with open_database(tmp_path / "db") as database:
        writer = Writer(database, Retention(database))
        kept = 0
        for _ in range(600):
            body = json.loads(text)
            _estrange(body, source)
            kept += _offered(writer, signal, json.dumps(body).encode(), "application/json")
    assert 0 < kept < 600


MONITOR: dict[str, Any] = {
    "type": "query alert",
    "name": "n",
    "message": "m",
    "query": "avg(last_5m):avg:a{*} > 1",
    "tags": ["a:b"],
    "priority": 1,
    "assets": [{"name": "x"}],
    "options": {
        "thresholds": {"critical": 1, "warning": 0.5},
        "scheduling_options": {"custom_schedule": {}},
        "on_missing_data": "default",
        "renotify_interval": 10,
        "timeout_h": 1,
    },
}
DASHBOARD: dict[str, Any] = {
    "title": "t",
    "layout_type": "ordered",
    "tags": ["team:x"],
    "notify_list": ["a", "b"],
    "tabs": [{"id": "1", "widget_ids": ["@1"]}],
    "template_variables": [{"name": "a", "defaults": ["b"]}],
    "template_variable_presets": [{"name": "p", "template_variables": [{"name": "a", "values": ["b"]}]}],
    "widgets": [{"definition": {"type": "group", "widgets": [{"definition": {"type": "note"}}]}}],
}


@pytest.mark.parametrize(("path", "body"), [("monitor", MONITOR), ("dashboard", DASHBOARD)])
def test_strange_objects(dev: Dev, path: str, body: dict[str, Any]) -> None:
    source = random.Random(3)
    taken = 0
    for number in range(200):
        strange = json.loads(json.dumps({**body, "name": f"n{number}"}))
        _estrange(strange, source)
        status, found, _ = dev.ask("POST", f"/api/v1/{path}", strange)
        assert status in {200, 400}, (strange, found)
        if status == 200:
            taken += 1
            assert dev.get(f"/api/v1/{path}/{found['id']}")["id"] == found["id"]
    assert 0 < taken < 200
    assert dev.ask("GET", f"/api/v1/{path}")[0] == 200
    assert dev.get("/dev/api/monitors") is not None


def _offered(writer: Writer, signal: Signal, body: bytes, kind: str) -> bool:
    refused = None
    try:
        received = receive(signal, body, {"content-type": kind}, now_ns=1)
    except Refusal as refusal:
        refused = refusal
    if refused is not None:
        assert refused.status == 400
        assert refused.message
        return False
    writer.store(spans=received.spans, logs=received.logs, points=received.points, losses=received.losses)
    return answer(signal, received, "application/json").status == 200


def _damaged(whole: bytes, source: random.Random) -> bytes:
    found = bytearray(whole)
    for _ in range(source.randint(1, 4)):
        found[source.randrange(len(found))] = source.randrange(256)
    return bytes(found[: source.randint(len(found) // 2, len(found))] if source.random() < 0.3 else found)


def _estrange(value: Any, source: random.Random) -> None:
    """Put something strange into one random place of `value`."""
    while True:
        keys: list[Any] = list(value) if isinstance(value, dict) else list(range(len(value)))
        if not keys:
            return
        key = source.choice(keys)
        if isinstance(value[key], (dict, list)) and value[key] and source.random() < 0.85:
            value = value[key]
            continue
        value[key] = source.choice(STRANGE)
        return

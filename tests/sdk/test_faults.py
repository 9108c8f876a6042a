"""Each function that the library calls of itself is made to raise, one by one, while a service works.

Which these are is found out by counting in a round of work, so that a new one cannot be forgotten. What the
service answers and logs stays the same, the fault is told, and the signals that it does not concern arrive.
"""

from __future__ import annotations

import ast
import functools
import json
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from tests.parts import ROOT, start
from tests.sdk.run import endpoint
from tests.sdk.sink import Seen, running_sink

#: Whoever calls these must have them: they pass on to what guards itself, or run the work of the service.
SHELLS = {
    "otel_kit.sdk.handle.Telemetry.force_flush": "passes on",
    "otel_kit.sdk.setup.force_flush": "passes on",
    "otel_kit.sdk.lifecycle.Lifecycle.flush": "is a guard in one line",
    "otel_kit.sdk.decorator._Spans.steps": "is a guard in one line",
    "otel_kit.sdk.notes.fault": "tells of faults",
    "otel_kit.sdk.notes.quietly": "tells of faults",
    "otel_kit.sdk.notes.RateLimit.allows": "tells of faults",
    "otel_kit.sdk.logs.intake._tell": "tells of faults",
    "otel_kit.sdk.logs.intake.Intake.console": "reads one attribute",
    "otel_kit.sdk.logs.console.writes_to_console": "compares what it knows",
    "otel_kit.sdk.http.asgi.HttpTelemetry.__call__": "runs the application",
    "otel_kit.sdk.http.asgi.unrecorded": "runs the application",
    "otel_kit.sdk.http.lifespan.lifespan": "runs the application",
    "otel_kit.sdk.http.request.Request.leave": "is two guarded calls",
    "otel_kit.sdk.rpc.behaviors._in": "runs the handler",
    "otel_kit.sdk.rpc.behaviors._steps": "runs the handler, as a generator whose call itself does nothing",
    "otel_kit.sdk.rpc.client_aio._Watched.__init__": "sets two attributes",
    "otel_kit.sdk.tracing.current.Current.__init__": "sets three attributes",
}
#: Where a value cannot be redacted, the marker in its place tells so; where one cannot be read, its class or
#: a count of what was dropped does. A log handler that cannot be looked at is left alone.
TOLD_BY_VALUES = (
    *("otel_kit.sdk.privacy.", "otel_kit.sdk.text.", "otel_kit.sdk.logs.entry.", "otel_kit.sdk.logs.plain."),
    *("otel_kit.sdk.otlp.spans.SpanEncoder._event", "otel_kit.sdk.otlp.spans.SpanEncoder._link"),
    *("otel_kit.sdk.otlp.wire.", "otel_kit.sdk.logs.console."),
)
#: What may be lost while one of these fails.
LOSES: Sequence[tuple[str, set[str]]] = (
    ("otel_kit.sdk.tracing.", {"spans"}),
    ("otel_kit.sdk.otlp.spans.", {"spans"}),
    ("otel_kit.sdk.logs.", {"logs"}),
    ("otel_kit.sdk.otlp.logs.", {"logs"}),
    ("otel_kit.sdk.metrics.", {"metrics"}),
    ("otel_kit.sdk.otlp.metrics.", {"metrics"}),
    ("otel_kit.sdk.delivery.", {"spans", "logs", "metrics"}),
    ("otel_kit.sdk.otlp.", {"spans", "logs", "metrics"}),
    ("otel_kit.sdk.privacy.", {"spans", "logs", "metrics"}),
    ("otel_kit.sdk.notes.", {"spans", "logs", "metrics"}),
)


def run(**env: str) -> tuple[list[dict[str, Any]], dict[str, Any], Seen]:
    """The rounds of `tests/sdk/apps/faults.py`, what came after them, and what arrived."""
    with running_sink() as sink:
        command = [sys.executable, "-m", "tests.sdk.apps.faults"]
        with start(command, env={**endpoint(sink), **env}) as part:
            assert part.wait(timeout=170) == 0, part.output()[-5000:]
            found = [json.loads(line) for line in part.output().splitlines() if line.startswith("{")]
        rounds = [one for one in found if "point" in one]
        return rounds, next(one for one in found if "after" in one), sink.seen


@functools.cache
def guards(module: str) -> set[str]:
    """The functions of a module that hold a fault by themselves: all that may fail is in a ``try``."""
    tree = ast.parse((ROOT / (module.replace(".", "/") + ".py")).read_text())
    return {f"{module}.{name}" for name in _guards(tree, "")}


def _guards(node: ast.AST, prefix: str) -> set[str]:
    found = set()
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            found |= _guards(child, f"{prefix}{child.name}.")
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and any(map(_holds, child.body)):
            found.add(prefix + child.name)
    return found


def _holds(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Try) and any(
        isinstance(handler.type, ast.Name)
        and handler.type.id in ("Exception", "BaseException")
        and not any(isinstance(inner, ast.Raise) for inner in ast.walk(handler))
        for handler in statement.handlers
    )


def exempt(point: str) -> bool:
    """Whether `point` is where faults end."""
    module = point.rpartition(".")[0]
    while not (ROOT / (module.replace(".", "/") + ".py")).exists():
        module = module.rpartition(".")[0]
    return point in SHELLS or point in guards(module)


def arrived(seen: Seen, mark: str) -> set[str]:
    """Which signals of a round came through."""
    signals = {
        "spans": any(s.name == "own" and s.attributes.get("mark") == mark for s in seen.spans),
        "logs": any(log.attributes.get("mark") == mark for log in seen.logs),
        "metrics": any(p.name == "own.count" and p.attributes.get("mark") == mark for p in seen.points),
    }
    return {signal for signal, there in signals.items() if there}


def look_at(part: str) -> None:
    """Run the rounds of one part of all points, and judge them."""
    rounds, after, seen = run(PART=part)
    assert len(rounds) > 50
    harmed = {one["point"]: one["different"][:2] for one in rounds if one["different"]}
    assert {point: what for point, what in harmed.items() if not exempt(point)} == {}
    silent = {one["point"] for one in rounds if one["raised"] and not one["said"]}
    assert {one for one in silent if not exempt(one) and not one.startswith(TOLD_BY_VALUES)} == set()
    assert sum(one["raised"] > 0 for one in rounds) > len(rounds) // 2
    for one in rounds:
        if exempt(one["point"]):
            continue
        allowed = next((lost for prefix, lost in LOSES if one["point"].startswith(prefix)), set())
        assert {"spans", "logs", "metrics"} - arrived(seen, one["mark"]) <= allowed, one
    assert after["after"] is True
    assert arrived(seen, "after") == {"spans", "logs", "metrics"}


@pytest.mark.slow
@pytest.mark.parametrize("part", ["1/4", "2/4", "3/4", "4/4"])
def test_whichever_function_fails(part: str) -> None:
    look_at(part)


def test_a_fault_is_told_once_a_minute() -> None:
    points = ["otel_kit.sdk.http.request.Request.join", "otel_kit.sdk.tracing.span.Span._begin"]
    points += ["otel_kit.sdk.http.request.Request._finish"] * 5
    rounds, _, _ = run(POINTS=" ".join(points), QUIET="1")
    told = [line for one in rounds for line in one["said"] if "otel-kit: fault" in line]
    assert sum(one["raised"] for one in rounds) > 30
    assert len(told) == 1


def test_no_fault_of_any_kind_ends_a_thread_of_the_library() -> None:
    with running_sink() as sink:
        with start([sys.executable, "-m", "tests.sdk.apps.panics"], env=endpoint(sink)) as part:
            assert part.wait() == 0, part.output()
            output = part.output()
        seen = sink.seen
    names = {span.name for span in seen.spans}
    assert {f"{when} {turn}" for when in ("before", "after") for turn in ("first", "second")} <= names
    assert seen.total("count") == 2
    assert {"first", "second"} <= set(seen.bodies())
    lost = sum(p.value for p in seen.named("otel.sdk.exporter.span.exported") if "error.type" in p.attributes)
    assert lost >= 2
    assert len(seen.spans) + lost == 8, output
    assert "fault in the callback of the metric leaving" in output

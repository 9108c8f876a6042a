"""What the library says about the process itself, and how its settings change what is sent."""

from __future__ import annotations

import re

import pytest

from tests.sdk.run import endpoint, lines, script
from tests.sdk.sink import Seen, running_sink

#: As https://docs.datadoghq.com/integrations/otel-python-runtime-metrics/ has them.
CHARTED = {
    "process.cpu.time": {"user", "system"},
    "process.context_switches": {"voluntary", "involuntary"},
    "process.runtime.cpython.gc_count": {"0", "1", "2"},
    "process.cpu.utilization": {None},
    "process.thread.count": {None},
    "process.memory.usage": {None},
}
TEMPORALITY = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"
HISTOGRAMS = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION"


def run(mode: str, **env: str) -> tuple[Seen, list[str]]:
    """What a script has sent, and the lines of our own that it wrote."""
    with running_sink() as sink:
        with script(mode, {**endpoint(sink), **env}) as part:
            assert part.wait() in (0, 3), part.output()
            said = [line["message"] for line in lines(part) if line["logger.name"] == "otel_kit"]
        return sink.seen, said


def test_the_process_is_charted_under_the_names_that_datadog_knows() -> None:
    seen, _ = run("exit", OTEL_KIT_RUNTIME_METRICS="true")
    for name, kinds in CHARTED.items():
        found = {p.attributes.get("type", p.attributes.get("count")) for p in seen.named(name)}
        assert found == kinds, name
    assert 5e6 < seen.total("process.memory.usage") < 1e9
    assert 0 < seen.total("process.cpu.time") < 60
    assert 1 <= seen.total("process.thread.count") < 50
    assert 1 <= seen.total("process.open_file_descriptor.count") < 500
    assert 0 <= seen.total("process.cpu.utilization") <= 1
    assert not any(re.match("system\\.|host\\.", p.name) for p in seen.points)


def test_a_child_reports_what_it_used_itself() -> None:
    seen, _ = run("fork-busy", OTEL_KIT_RUNTIME_METRICS="true")
    for name in ("process.cpu.time", "cpython.gc.collections"):
        by_process: dict[str, float] = {}
        for p in seen.named(name):
            key = p.resource["service.instance.id"]
            by_process[key] = by_process.get(key, 0) + p.value
        child, parent = sorted(by_process.values())
        assert child < parent / 2, name


@pytest.mark.parametrize("off", ["false", "FALSE"])
def test_it_can_be_switched_off(off: str) -> None:
    seen, _ = run("exit", OTEL_KIT_RUNTIME_METRICS=off)
    assert seen.named("jobs.done")
    assert not [p.name for p in seen.points if p.name.startswith(("process.", "cpython."))]


def test_cumulative_is_honoured_but_told() -> None:
    seen, said = run("exit", **{TEMPORALITY: "cumulative"})
    assert {p.temporality for p in seen.named("jobs.done")} == {2}
    assert any(TEMPORALITY in line and "use delta" in line for line in said)
    seen, said = run("exit", **{TEMPORALITY: "delta"})
    assert {p.temporality for p in seen.named("jobs.done")} == {1}
    assert not any(TEMPORALITY in line for line in said)


def test_exponential_histograms_by_wish() -> None:
    seen, _ = run("many-sets", **{HISTOGRAMS: "base2_exponential_bucket_histogram"})
    assert seen.total("time") == 100
    assert {p.kind for p in seen.named("time")} == {"exponential_histogram"}
    seen, said = run("many-sets", **{HISTOGRAMS: "boxes"})
    assert {p.kind for p in seen.named("time")} == {"histogram"}
    assert any(HISTOGRAMS in line for line in said)


@pytest.mark.parametrize("value", ["", "ALWAYS_OFF", "smoke"])
def test_no_filter_of_exemplars_keeps_the_metrics_away(value: str) -> None:
    """The SDK raises for each of these."""
    seen, _ = run("exit", OTEL_METRICS_EXEMPLAR_FILTER=value)
    assert seen.total("jobs.done") == 20

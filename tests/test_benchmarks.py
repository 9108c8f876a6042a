"""The parts of the benchmarks that can be wrong in silence: counting, load, the report, and the README."""

from __future__ import annotations

import asyncio
import gzip
import json
import math
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import grpc.aio
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks import report, soak
from benchmarks.cases import CASES
from benchmarks.goals import FIGURES, delivered, rows
from benchmarks.load import drive, percentile
from benchmarks.results import FULL, Results, Round, load, save
from benchmarks.sink import Sink
from benchmarks.wire import count_items
from tests.parts import ROOT, free_port


def _spans(count: int) -> bytes:
    request = ExportTraceServiceRequest()
    for _ in range(count):
        spans = request.resource_spans.add().scope_spans.add().spans
        spans.add(name="x", start_time_unix_nano=1, flags=3).events.add(name="e")
    return request.SerializeToString()


def test_items_are_counted_in_all_signals() -> None:
    logs = ExportLogsServiceRequest()
    scope = logs.resource_logs.add().scope_logs.add()
    scope.scope.name = "a scope"
    for _ in range(300):
        scope.log_records.add().body.string_value = "x" * 200
    metrics = ExportMetricsServiceRequest()
    metrics.resource_metrics.add().scope_metrics.add().metrics.add(name="m").gauge.data_points.add(as_int=1)
    assert count_items(_spans(3)) == 3
    assert count_items(logs.SerializeToString()) == 300
    assert count_items(metrics.SerializeToString()) == 1
    assert count_items(b"") == 0


def _post(sink: Sink, path: str, body: bytes, **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    url = f"http://127.0.0.1:{sink.ports.data}{path}"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, named), timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_the_sink_counts_what_it_takes_and_nothing_else() -> None:
    with Sink() as sink:
        assert _post(sink, "/v1/traces", gzip.compress(_spans(4)), content_encoding="gzip") == 200
        assert _post(sink, "/v0.4/traces", b"\x90", x_datadog_trace_count="2") == 200
        for status in (503, 429, 400):
            sink.mode(str(status))
            assert _post(sink, "/v1/traces", _spans(4)) == status
        sink.mode("away")
        with pytest.raises(OSError, match="refused"):
            _post(sink, "/v1/traces", _spans(4))
        sink.mode("up")
        assert _post(sink, "/v1/traces", _spans(1)) == 200
        assert sink.counts() == {"spans": 5, "traces": 2}
        sink.reset()
        assert sink.counts() == {}


@pytest.fixture
def web() -> Iterator[tuple[int, set[str]]]:
    """A server that answers in two pieces, and the paths and parents that it was asked with."""
    asked: set[str] = set()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked.add(str(self.headers["traceparent"]))
            self.send_response(200)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"he")
            self.wfile.flush()
            self.wfile.write(b"llo")

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port, asked
    server.shutdown()
    server.server_close()


def test_http_load_counts_whole_answers_and_never_repeats_a_trace(web: tuple[int, set[str]]) -> None:
    port, asked = web
    done = drive("http", port, 0.2, None)
    assert done.requests == len(asked) > 0
    paced = drive("http", port, 0.5, 40)
    assert paced.requests == 20
    assert 0 < paced.p50_ms <= paced.p99_ms


def test_grpc_load_drives_a_real_server() -> None:
    port = free_port()
    calls: list[str] = []

    async def echo(request: StringValue, _: object) -> StringValue:
        calls.append(request.value)
        return request

    async def scenario() -> int:
        server = grpc.aio.server()
        method = grpc.unary_unary_rpc_method_handler(
            echo,
            request_deserializer=StringValue.FromString,
            response_serializer=StringValue.SerializeToString,
        )
        handler = grpc.method_handlers_generic_handler("bench.Echo", {"Unary": method})
        server.add_generic_rpc_handlers((handler,))
        server.add_insecure_port(f"127.0.0.1:{port}")
        await server.start()
        load = await asyncio.to_thread(drive, "grpc", port, 0.3, None)
        await server.stop(0)
        return load.requests

    assert asyncio.run(scenario()) == len(calls) > 0
    assert set(calls) == {"hello world"}


def test_percentiles() -> None:
    values = [float(n) for n in range(100)]
    assert percentile(values, 0.5) == 50
    assert percentile(values, 0.99) == 99
    assert percentile([7.0], 0.99) == 7


def _results(**cases: dict[str, list[Round]]) -> Results:
    return Results(
        machine={"cpu": "a cpu", "cores": 2, "python": "3.11", "system": "Linux"},
        quick=False,
        date="2026-01-01",
        versions={"none": {"fastapi": "1.0"}},
        cases={name.replace("_", "-"): peers for name, peers in cases.items()},
    )


def _fastapi(kit: float, *, arrived: float = 1.0) -> Results:
    """Two rounds, of which the second is on a machine half as quick: the ratios are the same."""
    peers: dict[str, list[Round]] = {
        "none": [{"cpu_us": 100.0, "p99_ms": 2.0}, {"cpu_us": 200.0, "p99_ms": 4.0}],
        "opentelemetry": [
            {"cpu_us": 400.0, "spans_delivered": 3.0},
            {"cpu_us": 800.0, "spans_delivered": 3.0},
        ],
        "ddtrace": [{"cpu_us": 110.0, "traces_delivered": 0.5}, {"cpu_us": 220.0, "traces_delivered": 0.5}],
        "fastapi": [{"cpu_us": 250.0}, None],
        "otel-kit": [
            {"cpu_us": kit, "p99_ms": 3.0, "spans_delivered": arrived},
            {"cpu_us": 2 * kit, "p99_ms": 6.0, "spans_delivered": arrived},
        ],
    }
    return _results(fastapi=peers)


def test_figures_compare_within_a_round() -> None:
    cpu, share, p99, off, redaction = rows(_fastapi(130.0))
    assert cpu.ours == pytest.approx(1.3)
    assert cpu.raw == pytest.approx(4.0)
    assert cpu.best[0] == pytest.approx(2.5)
    assert cpu.best[1] == "fastapi", "ddtrace lost half of its traces"
    assert cpu.met is True
    assert share.ours == pytest.approx(0.1)
    assert share.met is True
    assert p99.ours == pytest.approx(1.5)
    assert p99.met is False
    assert math.isnan(off.ours)
    assert off.met is None
    assert redaction.best[1] == "", "no peer has it"


def test_who_loses_telemetry_meets_no_goal() -> None:
    results = _fastapi(110.0, arrived=0.9)
    assert delivered(results, "fastapi", "otel-kit") == 0.9
    assert rows(results)[0].met is False


def test_more_is_better_where_it_is() -> None:
    rates: dict[str, list[Round]] = {
        "opentelemetry": [{"per_second": 16_000.0}],
        "logfire": [{"per_second": 12_000.0}],
        "otel-kit": [{"per_second": 80_000.0}],
    }
    (row,) = rows(_results(rate=rates))
    assert row.met is True
    assert row.best == (16_000.0, "opentelemetry")
    assert "| ≥ 80,000/s | 80,000/s |  | 16,000/s | 16,000/s (opentelemetry) | yes |" in report.table(
        _results(rate=rates)
    )


def test_each_case_has_a_figure() -> None:
    assert {figure.case for figure in FIGURES} == set(CASES)


def test_results_are_kept_in_full(tmp_path: Path) -> None:
    results = _fastapi(130.0)
    save(results, tmp_path / "r.json")
    assert load(tmp_path / "r.json") == results
    summary = json.loads((tmp_path / "r.json").read_text())["summary"]
    assert summary["fastapi"]["none"]["cpu_us"] == {"median": 150.0, "min": 100.0, "max": 200.0}
    assert "| otel-kit |" in report.markdown(results)
    assert "| ddtrace (loses some) |" in report.markdown(results)


def test_times_count_as_shares_of_raw_opentelemetry_in_the_same_run() -> None:
    spans: dict[str, list[Round]] = {
        "none": [{"us": 4.0}],
        "opentelemetry": [{"us": 81.4}],
        "otel-kit": [{"us": 20.35}],
    }
    (span,) = rows(_results(span=spans))
    assert span.ours == 20.35
    assert span.scaled == pytest.approx(40.7 / 4)
    assert span.met is False
    logs: dict[str, list[Round]] = {
        "none": [{"us": 20.0}],
        "opentelemetry": [{"us": 81.2}],
        "otel-kit": [{"us": 26.12}],
    }
    (log,) = rows(_results(log=logs))
    assert log.scaled == pytest.approx(3.06)
    assert log.met is True


def test_a_table_replaces_what_stands_between_the_markers() -> None:
    text = f"before\n{report.MARKER}\nold\n{report.MARKER}\nafter\n"
    assert report.fill(text, "new") == f"before\n{report.MARKER}\n\nnew\n{report.MARKER}\nafter\n"
    with pytest.raises(ValueError, match="twice"):
        report.fill("no markers", "new")


@pytest.mark.skipif(not FULL.exists(), reason="needs benchmarks/results/full.json (make bench)")
def test_the_readme_shows_the_committed_result() -> None:
    text = (ROOT / "README.md").read_text()
    assert report.fill(text, report.for_readme()) == text, (
        "run: python -m benchmarks.report --readme README.md"
    )


def test_the_soak_in_a_sentence() -> None:
    cycles = [{"resident_mib": 50.0 + n} for n in range(6)]
    counts = {"spans_made": 2000, "spans_arrived": 1900, "spans_dropped": 100}
    text = report.soaked({"minutes": 10.0, "cycles": cycles, "counts": counts})
    assert "10 minutes" in text
    assert "52.0 MiB after the warm-up, 55.0 MiB at the end" in text
    assert "of 2,000 spans 1,900 arrived and 100 were told as dropped" in text


def _samples(memory: list[float], threads: int = 9) -> list[soak.Sample]:
    return [
        soak.Sample(at=10.0 * i, cycle=i // 10, resident_mib=mib, threads=threads + i // 50, files=20)
        for i, mib in enumerate(memory)
    ]


def test_soak_tells_a_leak_from_a_plateau() -> None:
    plateau = _samples([50 + min(i, 20) * 0.5 for i in range(50)])
    leak = _samples([50 + i * 0.25 for i in range(50)])
    assert soak.is_flat(soak.summary(plateau))
    assert not soak.is_flat(soak.summary(leak))
    assert soak.slope(leak) == pytest.approx(0.25 * 360)
    assert not soak.is_flat(soak.summary(_samples([50.0] * 60))), "one more thread in the last cycle"

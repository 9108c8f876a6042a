"""OTLP in, over HTTP: encodings, limits, refusals, and what Datadog makes of it."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import zstandard
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

from tests.dev.otlp import KEY, counts, log_lines, metrics, resource, spans
from tests.dev.process import Dev, losses, running, send


def test_what_an_sdk_sends_arrives(dev: Dev) -> None:
    sender = Resource.create(
        {"service.name": "sdk", "deployment.environment.name": "dev", "service.version": "1.2"}
    )
    tracer = TracerProvider(resource=sender)
    exporter = OTLPSpanExporter(f"{dev.url}/v1/traces", headers=KEY, compression=Compression.Gzip)
    tracer.add_span_processor(SimpleSpanProcessor(exporter))
    scope = tracer.get_tracer("t")
    attributes: dict[str, Any] = {
        "http.request.method": "GET",
        "http.route": "/orders/{id}",
        "n": 3,
        "list": ["a", "b"],
    }
    with (
        scope.start_as_current_span("GET /orders/{id}", kind=SpanKind.SERVER, attributes=attributes) as root,
        scope.start_as_current_span("inner") as inner,
    ):
        inner.add_event("happened", {"k": "v"})
        inner.set_status(Status(StatusCode.ERROR, "broke"))
    trace_id = f"{root.get_span_context().trace_id:032x}"

    trace = dev.get(f"/dev/api/traces/{trace_id}")
    first, second = trace["spans"]
    assert (first["service"], first["env"], first["version"]) == ("sdk", "dev", "1.2")
    assert (first["kind"], first["operation"], first["resource"], first["type"]) == (
        "server",
        "http.server.request",
        "GET /orders/{id}",
        "web",
    )
    assert first["attributes"] == attributes
    assert first["resource_attributes"]["service.name"] == "sdk"
    assert first["parent_id"] == ""
    assert first["error"] is False
    assert second["parent_id"] == first["span_id"]
    assert (second["error"], second["status_message"]) == (True, "broke")
    assert [(e["name"], e["attributes"]) for e in second["events"]] == [("happened", {"k": "v"})]
    (listed,) = [t for t in dev.get("/dev/api/traces?service=sdk") if t["trace_id"] == trace_id]
    assert (listed["resource"], listed["spans"], listed["errors"]) == ("GET /orders/{id}", 2, 1)
    assert trace_id in [t["trace_id"] for t in dev.get("/dev/api/traces?error=1")]


@pytest.mark.parametrize("encoding", ["identity", "gzip", "zstd"])
def test_json_in_each_encoding(dev: Dev, encoding: str) -> None:
    trace_id = f"{zlib.crc32(encoding.encode()):032x}"
    body = json.dumps(spans(trace_id, "00000000000000ab", service=f"json-{encoding}")).encode()
    pack: dict[str, Callable[[bytes], bytes]] = {
        "identity": bytes,
        "gzip": gzip.compress,
        "zstd": zstandard.ZstdCompressor().compress,
    }
    packed = pack[encoding](body)
    assert send(dev, "traces", packed, content_encoding=encoding) == (200, {})
    trace = dev.get(f"/dev/api/traces/{trace_id}")
    assert [(s["span_id"], s["service"]) for s in trace["spans"]] == [
        ("00000000000000ab", f"json-{encoding}")
    ]


def test_an_answer_comes_in_the_encoding_of_the_request(dev: Dev) -> None:
    status, body, headers = dev.ask(
        "POST",
        "/v1/traces",
        ExportTraceServiceRequest().SerializeToString(),
        headers={**KEY, "Content-Type": "application/x-protobuf"},
    )
    assert (status, body, headers["content-type"]) == (200, None, "application/x-protobuf")


@pytest.mark.parametrize(
    ("headers", "body", "status", "message"),
    [
        ({"Content-Type": "text/plain"}, b"x", 415, "content-type 'text/plain' is not supported"),
        ({"Content-Encoding": "br"}, b"{}", 415, "content-encoding 'br' is not supported"),
        ({"dd-api-key": " "}, b"{}", 403, "dd-api-key is missing or empty"),
        ({}, b"{nonsense", 400, "not an ExportTraceServiceRequest in JSON"),
        ({}, b"[]", 400, "not an ExportTraceServiceRequest in JSON: it is no object"),
        ({}, b"[1]", 400, "not an ExportTraceServiceRequest in JSON"),
        ({}, b'{"resourceSpans": 3}', 400, "not an ExportTraceServiceRequest in JSON"),
        (
            {"Content-Type": "application/x-protobuf"},
            b"\xff\xff\xff",
            400,
            "not an ExportTraceServiceRequest in protobuf",
        ),
        ({"Content-Encoding": "gzip"}, b"plain", 400, "the body is not gzip"),
        (
            {"Content-Encoding": "gzip"},
            gzip.compress(b"{}" * 500, mtime=0)[:-12],
            400,
            "the gzip body ends too early",
        ),
        ({"Content-Encoding": "zstd"}, b"plain", 400, "the body is not zstd"),
        (
            {"Content-Encoding": "zstd"},
            zstandard.ZstdCompressor().compress(bytes(range(256)) * 500)[:-9],
            400,
            "the zstd body ends too early",
        ),
        ({}, json.dumps(spans("zz", "ab")).encode(), 400, "'zz' is not an id in hex"),
    ],
)
def test_what_is_not_otlp_is_refused_with_the_reason(
    dev: Dev, headers: Mapping[str, str], body: bytes, status: int, message: str
) -> None:
    found, answer, _ = dev.ask("POST", "/v1/traces", body, headers={**KEY, **headers})
    text = answer["message"] if isinstance(answer, dict) else answer.decode(errors="replace")
    assert found == status
    assert message in text
    assert any(f"refused with {status}: " in reason and message in reason for _, reason in losses(dev))


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_decompression_bomb_ends_in_413(dev: Dev, encoding: str) -> None:
    bomb = b" " * 200_000_000
    packed = gzip.compress(bomb, 1) if encoding == "gzip" else zstandard.ZstdCompressor().compress(bomb)
    assert len(packed) < 1_000_000
    signal = "traces" if encoding == "gzip" else "metrics"
    status, answer = send(dev, signal, packed, content_encoding=encoding)
    assert (status, "after decompression" in answer["message"]) == (413, True)


@pytest.mark.parametrize(("encoding", "part"), [("gzip", "members"), ("zstd", "frames")])
def test_a_body_in_several_parts_is_read_and_one_in_very_many_refused(
    dev: Dev, encoding: str, part: str
) -> None:
    pack = gzip.compress if encoding == "gzip" else zstandard.ZstdCompressor().compress
    text = json.dumps(spans("000000000000000000000000000000ba", f"00000000000000{len(part):02x}")).encode()
    halves = pack(text[:100]) + pack(b"") + pack(text[100:])
    assert send(dev, "traces", halves, content_encoding=encoding) == (200, {})
    status, answer = send(dev, "traces", pack(b"") * 100_000, content_encoding=encoding)
    assert (status, f"more than 100 {part}" in answer["message"]) == (400, True)
    status, answer = send(dev, "traces", halves[:-1], content_encoding=encoding)
    assert (status, "ends too early" in answer["message"]) == (400, True)


def test_logs_carry_status_message_trace_and_tags(dev: Dev) -> None:
    trace_id = "00000000000000000000000000000abc"
    lines = [
        ("first", "INFO", 9, trace_id),
        ("second", "WARN", 13, trace_id),
        ({"a": 1}, "", 17, ""),
        ("fatal", "FATAL", 21, ""),
        ("none", "", 0, ""),
    ]
    sender = resource({"service.name": "logger", "deployment.environment.name": "dev"})
    assert send(dev, "logs", log_lines(lines, sender)) == (200, {})
    found = list(reversed(dev.get("/dev/api/logs?service=logger")))
    assert [(x["message"], x["status"]) for x in found] == [
        ("first", "info"),
        ("second", "warn"),
        ('{"a":1}', "error"),
        ("fatal", "emergency"),
        ("none", "info"),
    ]
    assert found[0]["trace_id"] == trace_id
    assert found[0]["tags"] == ["env:dev", "service:logger"]
    assert found[0]["attributes"]["service.name"] == "logger"
    assert found[0]["attributes"]["k"] == "v"
    assert [x["message"] for x in dev.get(f"/dev/api/logs?trace_id={trace_id}")] == ["second", "first"]
    assert [x["message"] for x in dev.get(f"/dev/api/traces/{trace_id}")["logs"]] == ["first", "second"]
    assert [x["message"] for x in dev.get("/dev/api/logs?service=logger&search=ECON")] == ["second"]
    assert dev.get("/dev/api/logs?service=logger&search=%25") == []


def test_the_beginning_of_an_id_is_enough_where_it_is_that_of_one_trace(dev: Dev) -> None:
    ids = ["5eed0001" + "0" * 24, "5eed0002" + "0" * 24]
    lines = [(f"of {trace_id[:8]}", "INFO", 9, trace_id) for trace_id in ids]
    assert send(dev, "logs", log_lines(lines, resource({"service.name": "ids"}))) == (200, {})
    for begin in ("5eed0001", "5EED0001", ids[0]):
        assert dev.get(f"/dev/api/traces/{begin}")["trace_id"] == ids[0]
        assert [x["message"] for x in dev.get(f"/dev/api/logs?trace_id={begin}")] == ["of 5eed0001"]
    for path in ("/dev/api/traces/5eed", "/dev/api/logs?trace_id=5eed"):
        status, body, _ = dev.ask("GET", path)
        assert (status, body) == (
            400,
            {"errors": ["more than one trace begins with '5eed'; give more of its id"]},
        )
    assert dev.ask("GET", "/dev/api/traces/5eed0003")[0] == 404
    assert dev.get("/dev/api/logs?trace_id=5eed0003") == []


def test_a_line_over_one_megabyte_is_cut_and_counted(dev: Dev) -> None:
    body = log_lines([("é" * 600_000, "INFO", 9, "")], resource({"service.name": "long"}))
    assert send(dev, "logs", body)[0] == 200
    (line,) = dev.get("/dev/api/logs?service=long")
    assert line["message"] == "é" * 500_000
    assert losses(dev)["logs", "a message over 1 MB was cut"] == 1


def test_spans_that_make_no_sense_are_refused_and_counted(dev: Dev) -> None:
    good = spans("000000000000000000000000000000aa", "00000000000000aa")
    (span,) = good["resourceSpans"][0]["scopeSpans"][0]["spans"]
    bad = [{**span, "traceId": ""}, {**span, "spanId": "0" * 16}, {**span, "endTimeUnixNano": "1"}]
    good["resourceSpans"][0]["scopeSpans"][0]["spans"] += bad
    _, answer = send(dev, "traces", good)
    assert answer["partialSuccess"]["rejectedSpans"] == "3"
    assert losses(dev)["traces", "a span without a valid trace id"] == 1
    # A retry of what was stored changes nothing; another span with its ids is not kept.
    good["resourceSpans"][0]["scopeSpans"][0]["spans"] = [span]
    assert send(dev, "traces", good) == (200, {})
    assert ("traces", "a span with the ids of another one") not in losses(dev)
    good["resourceSpans"][0]["scopeSpans"][0]["spans"] = [{**span, "name": "other"}]
    assert send(dev, "traces", good) == (200, {})
    assert losses(dev)["traces", "a span with the ids of another one"] == 1
    assert len(dev.get("/dev/api/traces/000000000000000000000000000000aa")["spans"]) == 1
    assert dev.get("/dev/api/traces?limit=10000")[0]["spans"] >= 1


def test_the_key_is_kept_nowhere(tmp_path: Any) -> None:
    secret = "dd-secret-0123456789"
    path = tmp_path / "dev.sqlite"
    with running("--db", str(path)) as dev:
        dev.ask("POST", "/v1/metrics", metrics([counts("k", 1)]), headers={"dd-api-key": secret})
        dev.ask("POST", "/v1/metrics", b"{", headers={"dd-api-key": secret})
        dev.ask("POST", "/api/v1/monitor", {}, headers={"DD-API-KEY": secret, "DD-APPLICATION-KEY": secret})
        kept = b"".join(p.read_bytes() for p in tmp_path.iterdir())
        assert secret.encode() not in kept
        assert secret not in dev.part.output()

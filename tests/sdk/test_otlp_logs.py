"""Log records as bytes: equal, after parsing, to what OpenTelemetry's own encoder makes of them."""

from __future__ import annotations

import json
import random
import string
from typing import Any

import pytest
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.sdk._logs import ReadableLogRecord, ReadWriteLogRecord
from opentelemetry.sdk._logs._internal import LogRecordLimits
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from otel_kit.dev.intake.logs import log_status
from otel_kit.sdk.logs.entry import Entry, severity
from otel_kit.sdk.logs.lines import Lines
from otel_kit.sdk.otlp.logs import LogEncoder
from otel_kit.sdk.privacy.redact import make_redactor
from otel_kit.sdk.privacy.settings import PrivacySettings

RESOURCES = [Resource({"service.name": "a", "n": 1}), Resource({"service.name": "b"}, "https://schema/1")]


def text(rng: random.Random) -> str:
    signs = string.ascii_letters + string.digits + ' äß€🙂\n"\\\x00'
    return "".join(rng.choices(signs, k=rng.choice((0, 1, 5, 30, 200))))


def value(rng: random.Random, depth: int = 0) -> Any:
    plain = [
        text(rng),
        rng.randint(-(2**63), 2**63 - 1),
        rng.choice((0, 1, -1, 127, 128)),
        rng.uniform(-1e9, 1e9),
        rng.choice((True, False)),
        rng.randbytes(5),
    ]
    if depth < 3:
        plain.append([value(rng, depth + 1) for _ in range(rng.randint(0, 3))])
        plain.append({text(rng): value(rng, depth + 1) for _ in range(rng.randint(0, 3))})
    return rng.choice(plain)


def span(rng: random.Random) -> SpanContext | None:
    if rng.random() < 0.4:
        return None
    flags = TraceFlags(rng.choice((0, 1)))
    return SpanContext(rng.getrandbits(128) | 1, rng.getrandbits(64) | 1, is_remote=False, trace_flags=flags)


def attributes(rng: random.Random) -> dict[str, Any]:
    return {f"k{text(rng)}": value(rng) for _ in range(rng.randint(0, 6))}


def record(rng: random.Random) -> ReadableLogRecord:
    context = span(rng)
    scope = rng.choice(
        [
            InstrumentationScope(
                text(rng) or "x", rng.choice((None, "1.2")), rng.choice((None, "https://s")), {"a": 1}
            ),
            None,
        ]
    )
    made = ReadWriteLogRecord(
        log_record=LogRecord(
            context=set_span_in_context(NonRecordingSpan(context)) if context else None,
            timestamp=rng.choice((None, rng.randrange(2**62))),
            observed_timestamp=rng.randrange(2**62),
            severity_text=rng.choice((None, "", "INFO", "äußerst")),
            severity_number=rng.choice((None, *SeverityNumber)),
            body=rng.choice((None, value(rng))),
            attributes=attributes(rng),
            event_name=rng.choice((None, "", "happened")),
        ),
        resource=rng.choice(RESOURCES),
        instrumentation_scope=scope,
        limits=LogRecordLimits(max_log_record_attributes=4, max_log_record_attribute_length=50),
    )
    return ReadableLogRecord(made.log_record, rng.choice(RESOURCES), made.instrumentation_scope, made.limits)


def parsed(body: bytes) -> ExportLogsServiceRequest:
    return ExportLogsServiceRequest.FromString(body)


@pytest.mark.filterwarnings("ignore:Log record attributes were dropped")
def test_records_of_the_sdk() -> None:
    rng = random.Random(20)
    encoder = LogEncoder(lambda: RESOURCES[0])
    for _ in range(60):
        records = [record(rng) for _ in range(rng.randint(1, 20))]
        assert parsed(encoder.encode(records)) == encode_logs(records)


LEVELS = {
    5: ("TRACE", SeverityNumber.TRACE),
    10: ("DEBUG", SeverityNumber.DEBUG),
    20: ("INFO", SeverityNumber.INFO),
    35: ("WARN", SeverityNumber.WARN),
    40: ("ERROR", SeverityNumber.ERROR),
    55: ("CRITICAL", SeverityNumber.FATAL),
}


@pytest.mark.parametrize("level", LEVELS)
def test_datadog_shows_a_record_with_the_status_of_its_line(level: int) -> None:
    site = ("x", level, "/app/x.py", 1, "f")
    line = json.loads(Lines({}).line((site, 1700000000.0, 1, "m", None, None, None), sent=True))
    assert line["status"] == log_status(*severity(level))


def pair(rng: random.Random, resource: Resource) -> tuple[Entry, ReadableLogRecord]:
    """One of our entries, and what the SDK would have for the same."""
    name, level, line = rng.choice(("shop", "shop.ä", "")), rng.choice(list(LEVELS)), rng.randrange(5000)
    created, observed, context = float(rng.randrange(2**31)), rng.randrange(2**62), span(rng)
    fields, body = attributes(rng) or None, text(rng)
    error = rng.choice((None, ("ValueError", "no", "Traceback"), ("", "", "only a stack")))
    severity_text, number = LEVELS[level]
    named = zip(("exception.type", "exception.message", "exception.stacktrace"), error or (), strict=False)
    said: dict[str, Any] = {
        "logger.name": name,
        "code.file.path": "/app/shop.py",
        "code.function.name": "buy",
        "code.line.number": line,
        **{key: part for key, part in named if part},
        **(fields or {}),
    }
    entry = ((name, level, "/app/shop.py", line, "buy"), created, observed, body, fields, error, context)
    theirs = LogRecord(
        context=set_span_in_context(NonRecordingSpan(context)) if context else None,
        timestamp=int(created * 1e9),
        observed_timestamp=observed,
        severity_text=severity_text,
        severity_number=number,
        body=body,
        attributes=said,
    )
    return entry, ReadableLogRecord(theirs, resource, InstrumentationScope(name), None)


def test_entries_of_our_own() -> None:
    rng = random.Random(21)
    encoder = LogEncoder(lambda: RESOURCES[0])
    for _ in range(60):
        pairs = [pair(rng, RESOURCES[0]) for _ in range(rng.randint(1, 20))]
        assert parsed(encoder.encode([ours for ours, _ in pairs])) == encode_logs([sdk for _, sdk in pairs])


def test_limits() -> None:
    fields = {"first": "abcdef", "list": ["abcdef", 1], "map": {"k": "abcdef"}, "last": 4}
    entry: Entry = (("shop", 20, "/a.py", 1, "buy"), 1.0, 1, "a long body", fields, None, None)
    body = LogEncoder(lambda: RESOURCES[0], count=7, length=3).encode([entry])
    found = parsed(body).resource_logs[0].scope_logs[0].log_records[0]
    assert [pair.key for pair in found.attributes][4:] == ["first", "list", "map"]
    assert found.dropped_attributes_count == 1
    assert found.attributes[4].value.string_value == "abc"
    assert found.attributes[5].value.array_value.values[0].string_value == "abc"
    assert found.body.string_value == "a long body"


def test_a_new_resource_counts_from_the_next_request_on() -> None:
    current = RESOURCES[0]
    encoder = LogEncoder(lambda: current)
    entry: Entry = (("shop", 20, "/a.py", 1, "buy"), 1.0, 1, "a", None, None, None)
    encoder.encode([entry])
    current = RESOURCES[1]
    found = parsed(encoder.encode([entry])).resource_logs[0]
    assert found.resource.attributes[0].value.string_value == "b"


def test_redaction() -> None:
    fields = {"password": "hunter2", "deep": {"password": "hunter2", "list": ["token=hunter2"]}, "n": 1}
    error = ("ValueError", "password=hunter2", "in a line with token=hunter2")
    entry: Entry = (("shop", 20, "/a.py", 1, "buy"), 1.0, 1, "my secret=hunter2", fields, error, None)
    body = LogEncoder(lambda: RESOURCES[0], make_redactor(PrivacySettings())).encode([entry])
    assert b"hunter2" not in body
    assert b"in a line with token=REDACTED" in body


def test_no_name_twice_and_none_that_datadog_takes_for_its_own() -> None:
    fields = {
        "status": 404,
        "Level": "low",
        "trace_id": "x",
        "code.line.number": 1,
        "exception.type": "x",
        "n": 7,
    }
    error = ("ValueError", "no room", "")
    entry: Entry = (("shop", 20, "/app.py", 17, "buy"), 1.0, 1, "bought", fields, error, None)
    body = LogEncoder(lambda: RESOURCES[0]).encode([entry])
    record = ExportLogsServiceRequest.FromString(body).resource_logs[0].scope_logs[0].log_records[0]
    assert [attribute.key for attribute in record.attributes] == [
        "logger.name",
        "code.file.path",
        "code.function.name",
        "code.line.number",
        "exception.type",
        "exception.message",
        "extra.status",
        "extra.Level",
        "extra.trace_id",
        "extra.code.line.number",
        "extra.exception.type",
        "n",
    ]

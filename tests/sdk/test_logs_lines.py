"""One line of JSON for each entry, with the names of Datadog and of Google."""

from __future__ import annotations

import json
import logging
from typing import Any, Literal

import pytest
from opentelemetry.trace import SpanContext, TraceFlags

from otel_kit.sdk.logs.entry import Entry, Error
from otel_kit.sdk.logs.lines import Lines
from otel_kit.sdk.logs.redaction import EntryRedactor
from otel_kit.sdk.privacy.redact import make_redactor
from otel_kit.sdk.privacy.settings import PrivacySettings

IDENTITY = {"service": "shop", "env": "prod", "version": "1.2"}
SPAN = SpanContext(0xABC, 0xDEF, is_remote=False, trace_flags=TraceFlags(1))
ERROR: Error = ("ValueError", "no room", "Traceback ...\nValueError: no room")


def entry(
    level: int = logging.INFO,
    *,
    message: str = "bought",
    fields: dict[str, Any] | None = None,
    error: Error | None = None,
    span: SpanContext | None = None,
) -> Entry:
    return (
        ("shop.orders", level, "/app/orders.py", 17, "buy"),
        1700000000.0421,
        1,
        message,
        fields,
        error,
        span,
    )


def google(given: Entry, project: str | None = "p-1") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        Lines(IDENTITY, style="google", project=project).line(given, sent=False)
    )
    return found


def datadog(given: Entry) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Lines(IDENTITY).line(given, sent=False))
    return found


def test_all_of_datadog() -> None:
    given = entry(logging.ERROR, fields={"order": 7, "status": "new"}, error=ERROR, span=SPAN)
    assert datadog(given) == {
        "status": "error",
        "timestamp": "2023-11-14T22:13:20.042Z",
        "message": "bought",
        "logger.name": "shop.orders",
        **IDENTITY,
        "code.file.path": "/app/orders.py",
        "code.function.name": "buy",
        "code.line.number": 17,
        "trace_id": "00000000000000000000000000000abc",
        "span_id": "0000000000000def",
        "error.kind": "ValueError",
        "error.message": "no room",
        "error.stack": "Traceback ...\nValueError: no room",
        "order": 7,
        "extra.status": "new",
    }


def test_all_of_google() -> None:
    given = entry(logging.ERROR, fields={"order": 7, "severity": "new"}, error=ERROR, span=SPAN)
    prefix = "logging.googleapis.com/"
    assert google(given) == {
        "severity": "ERROR",
        "time": "2023-11-14T22:13:20.042Z",
        "message": "bought",
        "logger.name": "shop.orders",
        **IDENTITY,
        "serviceContext": {"service": "shop", "version": "1.2"},
        f"{prefix}sourceLocation": {"file": "/app/orders.py", "line": "17", "function": "buy"},
        "trace_id": "00000000000000000000000000000abc",
        "span_id": "0000000000000def",
        f"{prefix}trace": "projects/p-1/traces/00000000000000000000000000000abc",
        f"{prefix}spanId": "0000000000000def",
        f"{prefix}trace_sampled": True,
        "error.kind": "ValueError",
        "error.message": "no room",
        "stack_trace": "Traceback ...\nValueError: no room",
        "@type": "type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent",
        "order": 7,
        "extra.severity": "new",
    }


TAKEN = {
    "code.line.number": 1,
    "logger.name": "other",
    "error.kind": "other",
    "exception.type": "other",
    "status": 404,
    "level": "low",
    "service": "other",
    "Hostname": "db-1",
    "host": "db-1",
    "trace_id": "x",
    "order": 7,
}


@pytest.mark.parametrize("style", ["datadog", "google"])
def test_no_name_twice_in_a_line(style: Literal["datadog", "google"]) -> None:
    given = entry(logging.ERROR, fields=TAKEN, error=ERROR, span=SPAN)
    pairs = json.loads(Lines(IDENTITY, style=style).line(given, sent=True), object_pairs_hook=list)
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names))
    told = dict(pairs)
    assert (told["error.kind"], told["extra.error.kind"]) == ("ValueError", "other")
    assert (told["service"], told["extra.service"], told["order"]) == ("shop", "other", 7)
    assert ("extra.host" in told, "extra.status" in told) == ((style == "datadog",) * 2)


def test_fields_that_google_knows_are_google_s() -> None:
    known = {
        "httpRequest": {"requestMethod": "GET", "status": 200},
        "logging.googleapis.com/labels": {"a": "b"},
    }
    found = google(entry(fields={**known, "logging.googleapis.com/trace": "other"}, span=SPAN))
    assert {key: found[key] for key in known} == known
    assert found["extra.logging.googleapis.com/trace"] == "other"


def test_google_without_a_project_has_no_link_that_leads_nowhere() -> None:
    found = google(entry(span=SPAN), None)
    assert "logging.googleapis.com/trace" not in found
    assert found["trace_id"] == "00000000000000000000000000000abc"


def test_google_reports_errors_alone() -> None:
    assert "@type" not in google(entry(logging.WARNING, error=ERROR))
    assert "@type" not in google(entry(logging.ERROR))


@pytest.mark.parametrize(
    ("level", "status", "severity"),
    [
        (5, "debug", "DEBUG"),
        (10, "debug", "DEBUG"),
        (20, "info", "INFO"),
        (35, "warn", "WARNING"),
        (40, "error", "ERROR"),
        (55, "critical", "CRITICAL"),
    ],
)
def test_levels(level: int, status: str, severity: str) -> None:
    assert datadog(entry(level))["status"] == status
    assert google(entry(level))["severity"] == severity


def test_a_line_is_one_line_of_plain_signs() -> None:
    line = Lines(IDENTITY).line(
        entry(message='"ä"\n\u2028\ud800', fields={"ö\n": ["\x00", {"a": float("nan")}]}), sent=True
    )
    assert line.isascii()
    assert line.isprintable()
    found = json.loads(line)
    assert found["message"] == '"ä"\n\u2028\ud800'
    assert found["ö\n"] == ["\x00", {"a": "nan"}]
    assert found["otel_kit.otlp"] is True


def test_seconds_follow_each_other() -> None:
    lines = Lines(IDENTITY)
    for created, shown in ((1.5, "01.500"), (1.999, "01.999"), (2.0, "02.000"), (0.25, "00.250")):
        site, _, *rest = entry()
        found = json.loads(lines.line((site, created, *rest), sent=False))  # type: ignore[arg-type]
        assert found["timestamp"] == f"1970-01-01T00:00:{shown}Z"


def test_secrets_are_taken_out_of_all_parts() -> None:
    redact = make_redactor(PrivacySettings())
    assert redact
    redactor = EntryRedactor(redact, own=redact)
    fields = {"password": "hunter2", "deep": {"api_key": "hunter2"}, "mail": "a@example.com", "order": 7}
    error = ("ValueError", "password=hunter2", "ValueError: password=hunter2")
    for _ in range(2):  # what is remembered changes nothing
        found = redactor.redacted(entry(message="password=hunter2 ok", fields=fields, error=error))
        assert "hunter2" not in str(found)
        assert "a@example.com" not in str(found)
        assert "ok" in found[3]
        assert redactor.redacted(entry()) == entry()
    assert fields["password"] == "hunter2"  # the service's own is left alone

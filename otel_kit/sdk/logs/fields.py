"""What a log record says: its message, severity, exception and extra fields, for a JSON line and for OTLP."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, Final

from opentelemetry import trace

from otel_kit.sdk.spans import LEFT
from otel_kit.sdk.text import stack_of, text_of, type_of

__all__ = ["SEEN", "exception_of", "extras", "json_line", "message", "severity", "span_of"]

#: Set on a record by the handlers, so that none of them takes it twice.
SEEN: Final = "_otel_kit_seen"
_BUILT_IN: Final = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "taskName",
    "color_message",  # uvicorn's message with escape codes
    SEEN,
}
#: What structlog hands to its formatter beside the fields of the service, or says once more.
_STRUCTLOG: Final = frozenset(
    {"event", "_logger", "_name", "_record", "_from_structlog", "level", "logger", "timestamp"}
)
#: How far to go back from an error to those that it came from.
_DEPTH: Final = 8
#: logging level -> name in OpenTelemetry, its number
#: (https://opentelemetry.io/docs/specs/otel/logs/data-model/), and Datadog's status.
_SEVERITIES: Final = (
    (logging.CRITICAL, "FATAL", 21, "critical"),
    (logging.ERROR, "ERROR", 17, "error"),
    (logging.WARNING, "WARN", 13, "warn"),
    (logging.INFO, "INFO", 9, "info"),
    (logging.DEBUG, "DEBUG", 5, "debug"),
    (0, "TRACE", 1, "debug"),
)
_RESERVED: Final = frozenset(
    {"timestamp", "status", "message", "logger.name", "service", "env", "version", "trace_id", "span_id"}
)


def severity(level: int) -> tuple[str, int, str]:
    """OpenTelemetry's text and number, and Datadog's status; levels in between round down."""
    for least, text, number, status in _SEVERITIES:
        if level >= least:
            return text, number, status
    return "TRACE", 1, "debug"


def message(record: logging.LogRecord) -> str:
    """The formatted message; one whose arguments do not fit is shown with them instead of being lost.

    The message of structlog is a mapping, whose ``event`` is what there is to read.
    """
    event = _event(record)
    if event:
        return text_of(event["event"])
    try:
        return record.getMessage()
    except Exception:
        return f"{text_of(record.msg)} {_arguments(record)}".rstrip()


def _arguments(record: logging.LogRecord) -> str:
    try:
        return repr(record.args) if record.args else ""
    except Exception:
        return "<arguments without a text>"


def extras(record: logging.LogRecord) -> dict[str, Any]:
    """What the service passed as ``extra=``, or beside the event of structlog."""
    event = _event(record)
    hidden = _BUILT_IN | _STRUCTLOG if event else _BUILT_IN
    return {key: value for key, value in {**vars(record), **event}.items() if key not in hidden}


def _event(record: logging.LogRecord) -> Mapping[str, Any]:
    said = record.msg
    return said if isinstance(said, Mapping) and not record.args and "event" in said else {}


def span_of(record: logging.LogRecord) -> trace.SpanContext:
    """The current span; for an error that a server logs after the request, the span of that request."""
    current = trace.get_current_span().get_span_context()
    if current.is_valid or not record.exc_info:
        return current
    error = record.exc_info[1]
    for _ in range(_DEPTH):
        left = getattr(error, LEFT, None)
        if isinstance(left, trace.SpanContext):
            return left
        error = error and (error.__cause__ or error.__context__)
    return current


def exception_of(record: logging.LogRecord) -> tuple[str, str, str] | None:
    """Type with its module, message as its own ``str`` has it, and stack; None without an exception."""
    if not record.exc_info or record.exc_info[1] is None:
        return None
    error = record.exc_info[1]
    return type_of(error), text_of(error), stack_of(error)


def json_line(record: logging.LogRecord, identity: Mapping[str, str]) -> str:
    """One line of JSON under the names that Datadog reserves.

    Args:
        record: the record; an extra field named like a reserved one appears as ``extra.NAME``.
        identity: service, env and version.
    """
    when = datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds")
    fields: dict[str, Any] = {
        "timestamp": when.replace("+00:00", "Z"),
        "status": severity(record.levelno)[2],
        "message": message(record),
        "logger.name": record.name,
        **identity,
    }
    span = span_of(record)
    if span.is_valid:
        fields["trace_id"] = trace.format_trace_id(span.trace_id)
        fields["span_id"] = trace.format_span_id(span.span_id)
    error = exception_of(record)
    if error is not None:
        fields["error.kind"], fields["error.message"], fields["error.stack"] = error
    elif record.stack_info:
        fields["error.stack"] = record.stack_info
    for key, value in extras(record).items():
        fields[f"extra.{key}" if key in _RESERVED else key] = value
    return _dump(fields)


def _dump(fields: dict[str, Any]) -> str:
    try:
        # ASCII alone: stdout has an encoding of its own, and lone surrogates have no place in any.
        return json.dumps(fields, default=text_of, allow_nan=False)
    except (TypeError, ValueError, RecursionError):  # keys that are no strings, NaN, a circle
        return json.dumps({key: _plain(value) for key, value in fields.items()})


def _plain(value: Any) -> str | int | bool | None:
    return value if value is None or isinstance(value, str | int) else text_of(value)

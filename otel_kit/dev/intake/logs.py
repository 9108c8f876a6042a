"""OTLP log records -> the log lines Datadog shows. Pure.

The status follows Datadog's status remapper, which reads the severity's first letters
(https://docs.datadoghq.com/logs/log_configuration/processors/log_status_remapper/).
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from otel_kit.dev.intake.attributes import Resource, attributes_of, read_resource, to_json, value_of
from otel_kit.dev.intake.limits import LOG_LINE_BYTES
from otel_kit.dev.model import Log, Loss

__all__ = ["log_status", "map_logs"]

_BY_PREFIX: Final = (
    ("emerg", "emergency"),
    ("f", "emergency"),
    ("a", "alert"),
    ("c", "critical"),
    ("e", "error"),
    ("w", "warn"),
    ("n", "notice"),
    ("i", "info"),
    ("d", "debug"),
    ("trace", "debug"),
    ("verbose", "debug"),
    ("o", "ok"),
    ("s", "ok"),
)
# Severity numbers come in bands of four: TRACE, DEBUG, INFO, WARN, ERROR, FATAL.
_BY_BAND: Final = ("debug", "debug", "info", "warn", "error", "emergency")


def map_logs(request: ExportLogsServiceRequest, now_ns: int) -> tuple[list[Log], list[Loss]]:
    """Log lines in the order they came, and what was cut or changed, by reason."""
    logs: list[Log] = []
    lost: Counter[str] = Counter()
    for group in request.resource_logs:
        resource = read_resource(group.resource.attributes)
        for scope in group.scope_logs:
            for record in scope.log_records:
                logs.append(_map(record, resource, lost, now_ns))
    return logs, [Loss("logs", reason, n) for reason, n in lost.items()]


def log_status(text: str, number: int) -> str:
    """Datadog's status of a severity; ``info`` when there is none."""
    lowered = text.strip().lower()
    for prefix, status in _BY_PREFIX:
        if lowered.startswith(prefix):
            return status
    if not lowered and 1 <= number <= 24:
        return _BY_BAND[(number - 1) // 4]
    return "info"


def _map(record: LogRecord, resource: Resource, lost: Counter[str], now_ns: int) -> Log:
    # A record without a time carries the one it was observed at, else Datadog takes the time of arrival.
    nanoseconds = record.time_unix_nano or record.observed_time_unix_nano or now_ns
    return Log(
        timestamp_ms=nanoseconds // 1_000_000,
        status=log_status(record.severity_text, record.severity_number),
        service=resource.service,
        message=_message(record.body, lost),
        trace_id=record.trace_id.hex() if any(record.trace_id) else "",
        span_id=record.span_id.hex() if any(record.span_id) else "",
        attributes=to_json({**resource.attributes, **_severity(record), **attributes_of(record.attributes)}),
        tags=to_json(sorted(set(resource.mapped_tags))),
        env=resource.env,
        version=resource.version,
    )


def _severity(record: LogRecord) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if record.severity_text:
        found["otel.severity_text"] = record.severity_text
    if record.severity_number:
        found["otel.severity_number"] = record.severity_number
    return found


def _message(body: AnyValue, lost: Counter[str]) -> str:
    value = value_of(body)
    text = value if isinstance(value, str) else "" if value is None else to_json(value)
    if len(text) * 4 <= LOG_LINE_BYTES:
        return text
    encoded = text.encode()
    if len(encoded) <= LOG_LINE_BYTES:
        return text
    lost["a message over 1 MB was cut"] += 1
    return encoded[:LOG_LINE_BYTES].decode(errors="ignore")

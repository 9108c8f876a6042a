"""Two handlers of the standard library's logging: JSON lines on stdout, and OTLP log records."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, get_value
from opentelemetry.trace import NonRecordingSpan, set_span_in_context

from otel_kit.sdk.logs.fields import SEEN, exception_of, extras, json_line, message, severity, span_of
from otel_kit.sdk.notes import RateLimit
from otel_kit.sdk.text import text_of

if TYPE_CHECKING:
    from opentelemetry._logs import Logger, LoggerProvider

__all__ = ["KitHandler", "OtlpHandler", "StdoutHandler"]


class KitHandler(logging.Handler):
    """Takes each record once, whichever loggers it is attached to, and never raises into the service."""

    def handle(self, record: logging.LogRecord) -> bool:
        """Emit the record unless this handler has already seen it."""
        seen: int = record.__dict__.get(SEEN, 0)
        mine = self._bit
        if seen & mine:
            return False
        record.__dict__[SEEN] = seen | mine
        return bool(super().handle(record))

    _bit = 0

    def close(self) -> None:
        """Stay usable: logging closes handlers when it is configured again, and this one comes back."""


class StdoutHandler(KitHandler):
    """Writes one JSON line a record to whatever `sys.stdout` is at that moment.

    Args:
        identity: service, env and version, as they appear in each line.
    """

    _bit = 1

    def __init__(self, identity: Mapping[str, str]) -> None:
        super().__init__()
        self._identity = dict(identity)
        self._complaints: dict[tuple[str, str], RateLimit] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line in one piece."""
        if record.name.startswith("opentelemetry") and not self._new(record):
            return
        try:
            sys.stdout.write(json_line(record, self._identity) + "\n")
            sys.stdout.flush()
        except Exception:
            self.handleError(record)

    def _new(self, record: logging.LogRecord) -> bool:
        """The SDK repeats a complaint with every span it concerns; once a minute is enough."""
        key = (record.name, str(record.msg))
        if key not in self._complaints and len(self._complaints) < 100:
            self._complaints[key] = RateLimit(60.0)
        return key in self._complaints and self._complaints[key].allows()


class OtlpHandler(KitHandler):
    """Emits OTLP log records through `provider`.

    Records from the library's own threads and loggers are left out: each export would otherwise log something
    that needs another export.
    """

    _bit = 2

    def __init__(self, provider: LoggerProvider) -> None:
        super().__init__()
        self._provider = provider
        self._loggers: dict[str, Logger] = {}
        self._busy = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        """Emit, unless instrumentation is suppressed here or this very call is what logs."""
        if get_value(_SUPPRESS_INSTRUMENTATION_KEY) or getattr(self._busy, "on", False):
            return
        if record.name.startswith(("opentelemetry", "otel_kit")):
            return
        self._busy.on = True
        try:
            self._logger(record.name).emit(_translate(record))
        except Exception:
            self.handleError(record)
        finally:
            self._busy.on = False

    def _logger(self, name: str) -> Logger:
        logger = self._loggers.get(name)
        if logger is None:
            logger = self._loggers[name] = self._provider.get_logger(name)
        return logger


def _translate(record: logging.LogRecord) -> LogRecord:
    text, number, _ = severity(record.levelno)
    attributes: dict[str, Any] = {
        # The scope's name is no attribute in Datadog, and its facet for loggers is this.
        "logger.name": record.name,
        "code.file.path": record.pathname,
        "code.function.name": record.funcName,
        "code.line.number": record.lineno,
    }
    error = exception_of(record)
    if error is not None:
        attributes["exception.type"], attributes["exception.message"], attributes["exception.stacktrace"] = (
            error
        )
    for key, value in extras(record).items():
        attributes[str(key)] = _any_value(value)
    span = span_of(record)
    return LogRecord(
        context=set_span_in_context(NonRecordingSpan(span)) if span.is_valid else None,
        timestamp=int(record.created * 1e9),
        observed_timestamp=time.time_ns(),
        severity_text=text,
        severity_number=SeverityNumber(number),
        body=_any_value(message(record)),
        attributes=attributes,
    )


def _any_value(value: object, depth: int = 0) -> Any:
    """The value as OTLP can carry it; what it cannot becomes text."""
    if isinstance(value, str):
        # Lone surrogates, as in the name of a file that is no UTF-8, have no place in protobuf.
        return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
    if value is None or isinstance(value, bool | int | float | bytes):
        return value
    if depth < 4:
        if isinstance(value, Mapping):
            return {str(key): _any_value(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [_any_value(item, depth + 1) for item in value]
    return _any_value(text_of(value))

"""What a log record says, taken down on the thread that logs: nothing of it can change any more afterwards.

An entry is a plain tuple, since one is made for each record. Everything that asks objects of the service for
a text happens here, once for the line on stdout and for OTLP together.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import time_ns
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.baggage import get_baggage
from opentelemetry.context import Context

from otel_kit.sdk.logs.plain import clipped, plain
from otel_kit.sdk.spans import LEFT
from otel_kit.sdk.text import stack_of, text_of, type_of

__all__ = ["BRIDGES", "SEEN", "Entry", "Error", "Site", "entry_of", "severity"]

#: Name of the logger, level, file, line and function: the same for each record of one call in the code.
Site = tuple[str, int, str, int, str]
#: Type with its module, message as its own ``str`` has it, and stack.
Error = tuple[str, str, str]
#: The site, seconds since the epoch, nanoseconds when it was taken down, message, fields, error, span.
Entry = tuple[Site, float, int, str, "Mapping[str, Any] | None", "Error | None", "trace.SpanContext | None"]

#: Set on a record as soon as it is taken, so that it is taken once.
SEEN: Final = "_otel_kit_seen"
_BUILT_IN: Final = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "taskName",
    "color_message",  # uvicorn's message with escape codes
    SEEN,
}
#: Attributes of a record without extra fields.
_USUAL: Final = len(vars(logging.makeLogRecord({}))) + 1
#: What structlog hands to its formatter beside the fields of the service, or says once more.
_STRUCTLOG: Final = frozenset(
    {"event", "_logger", "_name", "_record", "_from_structlog", "level", "logger", "timestamp"}
    | {"exc_info", "stack_info", "exception", "stack"}
)
#: The frames below are those of logging, and ours.
_LOGGING: Final = (str(Path(logging.__file__).parent), str(Path(__file__).parent))
#: How far to go back from an error to those that it came from.
_DEPTH: Final = 8
#: A text that logs itself, which asks for the text again, and so on, ends here.
_NESTED: Final = 3
#: logging level -> name in OpenTelemetry and its number
#: (https://opentelemetry.io/docs/specs/otel/logs/data-model/).
_SEVERITIES: Final = (
    (logging.CRITICAL, "FATAL", 21),
    (logging.ERROR, "ERROR", 17),
    (logging.WARNING, "WARN", 13),
    (logging.INFO, "INFO", 9),
    (logging.DEBUG, "DEBUG", 5),
)


class Bridges:
    """What stands between a service and logging, as far as it is loaded.

    Attributes:
        paths: files and folders whose frames are not the service's.
        event: finds what structlog was told in the message that structlog made of it.
    """

    def __init__(self) -> None:
        self.paths: tuple[str, ...] = ()
        self.event: Callable[[object], Mapping[str, Any] | None] | None = None


BRIDGES: Final = Bridges()


class _Nesting(threading.local):
    depth = 0


_nesting: Final = _Nesting()


def severity(level: int) -> tuple[str, int]:
    """OpenTelemetry's text and number; levels in between round down."""
    for least, text, number in _SEVERITIES:
        if level >= least:
            return text, number
    return "TRACE", 1


def entry_of(record: logging.LogRecord, context: Context, baggage: Sequence[str] = ()) -> Entry:
    """Take a record down.

    Args:
        record: as the standard library or a bridge made it.
        context: the current one.
        baggage: keys of baggage entries that become fields.
    """
    said: Any = record.msg
    site = (record.name, record.levelno, record.pathname, record.lineno, record.funcName)
    span = trace.get_current_span(context).get_span_context()
    fields: Mapping[str, Any] | None = None
    error: Error | None = None
    if (
        record.args
        or record.exc_info
        or record.stack_info
        or type(said) is not str
        or type(record.name) is not str
        or type(record.pathname) is not str
        or len(vars(record)) > _USUAL
        or len(said) > 1000
        or BRIDGES.event is not None
        or record.pathname.startswith(BRIDGES.paths)
    ):
        said, fields, error = _asked(record)
        site = _site(record)
        if error is not None and not span.is_valid:
            span = _span_left_by(record)
    if baggage:
        carried = {key: get_baggage(key, context) for key in baggage}
        fields = {**{k: text_of(v) for k, v in carried.items() if v is not None}, **(fields or {})}
    return site, record.created, time_ns(), said, fields, error, span if span.is_valid else None


def _asked(record: logging.LogRecord) -> tuple[str, Mapping[str, Any] | None, Error | None]:
    """Message, fields and error, which ask objects of the service; these may log in their turn."""
    if _nesting.depth >= _NESTED:
        return (record.msg if type(record.msg) is str else f"<{type(record.msg).__name__}>"), None, None
    _nesting.depth += 1
    try:
        event = _event(record)
        return _message(record, event), _fields(record, event), _error(record, event)
    finally:
        _nesting.depth -= 1


def _event(record: logging.LogRecord) -> Mapping[str, Any]:
    event = None if BRIDGES.event is None else BRIDGES.event(record.msg)
    if event is not None:
        return event
    said = record.msg
    return said if isinstance(said, Mapping) and not record.args and "event" in said else {}


def _message(record: logging.LogRecord, event: Mapping[str, Any]) -> str:
    """The formatted message; one whose arguments do not fit is shown with them instead of being lost.

    The message of structlog is a mapping, whose ``event`` is what there is to read.
    """
    if event:
        return clipped(text_of(event.get("event", "")))
    try:
        return clipped(record.getMessage())
    except Exception:
        return clipped(f"{text_of(record.msg)} {_arguments(record)}".rstrip())


def _arguments(record: logging.LogRecord) -> str:
    try:
        return repr(record.args) if record.args else ""
    except Exception:
        return "<arguments without a text>"


def _fields(record: logging.LogRecord, event: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What the service passed as ``extra=``, or beside the event of structlog."""
    own = vars(record)
    if not event and len(own) <= _USUAL and not record.stack_info:
        return None
    hidden = _BUILT_IN | _STRUCTLOG if event else _BUILT_IN
    found = {key: value for key, value in {**own, **event}.items() if key not in hidden}
    if record.stack_info:
        found["code.stacktrace"] = record.stack_info
    return plain(found) if found else None


def _error(record: logging.LogRecord, event: Mapping[str, Any]) -> Error | None:
    info: Any = record.exc_info or event.get("exc_info")
    error = info[1] if isinstance(info, tuple) and len(info) == 3 else info
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        return type_of(error), clipped(text_of(error)), clipped(stack_of(error))
    written = event.get("exception")  # a text that structlog has made of an error
    return ("", "", clipped(written)) if isinstance(written, str) else None


def _span_left_by(record: logging.LogRecord) -> trace.SpanContext:
    """For an error that a server logs after the request, the span of that request."""
    error = record.exc_info[1] if record.exc_info else None
    for _ in range(_DEPTH):
        left = getattr(error, LEFT, None)
        if isinstance(left, trace.SpanContext):
            return left
        error = error and (error.__cause__ or error.__context__)
    return trace.INVALID_SPAN_CONTEXT


def _site(record: logging.LogRecord) -> Site:
    """Where the service logs; a bridge into logging stands between, and is stepped over."""
    name, level = text_of(record.name), record.levelno if isinstance(record.levelno, int) else 0
    path, line, function = record.pathname, record.lineno, record.funcName
    if isinstance(path, str) and path.startswith(BRIDGES.paths):
        frame = sys._getframe()
        between = (*BRIDGES.paths, *_LOGGING)
        while frame.f_back is not None and frame.f_code.co_filename.startswith(between):
            frame = frame.f_back
        path, line, function = frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name
    return name, level, text_of(path), line if isinstance(line, int) else 0, text_of(function)

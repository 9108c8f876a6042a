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
from types import FrameType
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.baggage import get_baggage
from opentelemetry.context import Context
from opentelemetry.trace.propagation import _SPAN_KEY

from otel_kit.sdk.logs.plain import LONGEST, clipped, plain
from otel_kit.sdk.spans import left_by
from otel_kit.sdk.text import stack_of, text_of, type_of

__all__ = [
    "BRIDGES",
    "LED",
    "SEEN",
    "TOLD",
    "Entry",
    "Error",
    "Site",
    "Told",
    "caller",
    "entry_of",
    "severity",
]

#: Name of the logger, level, file, line and function: the same for each record of one call in the code.
Site = tuple[str, int, str, int, str]
#: Type with its module, message as its own ``str`` has it, and stack.
Error = tuple[str, str, str]
#: The site, seconds since the epoch, nanoseconds when it was taken down, message, fields, error, span.
Entry = tuple[Site, float, int, str, "Mapping[str, Any] | None", "Error | None", "trace.SpanContext | None"]

#: What a service told another logging library: message, fields, and the error or the text of one.
Told = tuple[object, Mapping[Any, Any], "BaseException | str | None"]

#: Attribute of a record that a bridge has made, with what was told.
TOLD: Final = "_otel_kit_told"
#: Set on a record as soon as it is taken, so that it is taken once.
SEEN: Final = "_otel_kit_seen"
#: Set on a record that a handler of the service has led to loguru, whose sinks decide about it.
LED: Final = "_otel_kit_led"
_BUILT_IN: Final = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "taskName",
    "color_message",  # uvicorn's message with escape codes
    SEEN,
    LED,
    TOLD,
}
#: Attributes of a record without extra fields.
_USUAL: Final = len(vars(logging.makeLogRecord({}))) + 1
#: Kinds of arguments whose text is nobody's code.
_PLAIN: Final = frozenset({str, int, float, bool, type(None)})
#: The frames below are those of logging, and ours.
_LOGGING: Final = (str(Path(logging.__file__).parent), str(Path(__file__).parent.parent))
#: No second since the epoch after this one fits into 64 bits of nanoseconds.
_LATEST: Final = 18_446_744_073.0
#: How far to go back from an error to those that it came from.
_DEPTH: Final = 8
#: A text that logs itself, which asks for the text again, and so on, ends here.
_NESTED: Final = 4
_NO_MESSAGE: Final = "<a record without a message>"
#: logging level -> text and number of the severity (https://opentelemetry.io/docs/specs/otel/logs/data-model/).
#: The text decides in Datadog: what begins with F is an emergency there, and the line on stdout is critical.
_SEVERITIES: Final = (
    (logging.CRITICAL, "CRITICAL", 21),
    (logging.ERROR, "ERROR", 17),
    (logging.WARNING, "WARN", 13),
    (logging.INFO, "INFO", 9),
    (logging.DEBUG, "DEBUG", 5),
)


class Bridges:
    """What stands between a service and logging, as far as it is loaded.

    Attributes:
        paths: files and folders whose frames are not the service's.
        told: finds what the service told structlog, by the message that structlog made of it.
        taken: whether loguru leads a record on that has been taken already.
    """

    def __init__(self) -> None:
        self.paths: tuple[str, ...] = ()
        self.told: Callable[[object], Told | None] | None = None
        self.taken: Callable[[logging.LogRecord], bool] | None = None


BRIDGES: Final = Bridges()


class _Nesting(threading.local):
    depth = 0


_nesting: Final = _Nesting()


def severity(level: int) -> tuple[str, int]:
    """Text and OpenTelemetry's number; levels in between round down."""
    for least, text, number in _SEVERITIES:
        if level >= least:
            return text, number
    return "TRACE", 1


def entry_of(
    record: logging.LogRecord, context: Context, baggage: Sequence[str] = (), message: str | None = None
) -> Entry:
    """Take a record down.

    Args:
        record: as the standard library or a bridge made it.
        context: the current one.
        baggage: keys of baggage entries that become fields.
        message: the text with its arguments, where somebody has just made it.
    """
    marks = record.__dict__
    said: Any = record.msg
    name, path = record.name, record.pathname
    site = (name, record.levelno, path, record.lineno, record.funcName)
    current: Any = context.get(_SPAN_KEY)
    span: trace.SpanContext | None = None if current is None else current.get_span_context()
    fields: Mapping[str, Any] | None = None
    error: Error | None = None
    # Most records are a text, perhaps with arguments, from the code of the service. For these all is in one
    # place: right after a line was written to the console, each call of another function costs double.
    if (
        type(said) is str
        and record.exc_info is None
        and record.stack_info is None
        and (BRIDGES.told is None or BRIDGES.told(said) is None)
        # What is there besides the usual is the work of another handler's formatter.
        and len(marks) - ("message" in marks) - ("asctime" in marks) - (LED in marks) <= _USUAL
        and type(name) is str
        and type(path) is str
        and not path.startswith(BRIDGES.paths)
        and len(said) < LONGEST
    ):
        args: Any = record.args
        if type(message) is str:
            said = message if len(message) < LONGEST else clipped(message)
        elif args:
            # For texts and numbers, as nearly all arguments are, nothing of the service runs.
            if type(args) is not tuple or type(record) is not logging.LogRecord:
                said = _formatted(record)
            else:
                for arg in args:
                    if type(arg) not in _PLAIN:
                        said = _formatted(record)
                        break
                else:
                    try:
                        said %= args
                    except (TypeError, ValueError):
                        said = _formatted(record)
                    if len(said) >= LONGEST:
                        said = clipped(said)
    else:
        told = _told(record)
        site = _site(record)
        said = _asked(_message, record, told) or _NO_MESSAGE
        fields = _asked(_fields, record, told)
        error = _asked(_error, record, told)
        if error is not None and span is None:
            span = _span_left_by(record)
    if baggage:
        carried = {key: get_baggage(key, context) for key in baggage}
        fields = {**{k: text_of(v) for k, v in carried.items() if v is not None}, **(fields or {})}
    created = record.created
    if type(created) is not float or not 0 <= created < _LATEST:
        created = time_ns() / 1e9
    return site, created, time_ns(), said, fields, error, span if span is not None and span.is_valid else None


def _formatted(record: logging.LogRecord) -> str:
    """The message, whose arguments may log in their turn; where they do not fit, they are shown beside it."""
    if _nesting.depth >= _NESTED:
        return record.msg if type(record.msg) is str else f"<{type(record.msg).__name__}>"
    _nesting.depth += 1
    try:
        text = record.getMessage()
    except Exception:
        text = f"{text_of(record.msg)} {_arguments(record)}".rstrip()
    finally:
        _nesting.depth -= 1
    return text if len(text) < LONGEST else clipped(text)


def _asked(
    question: Callable[[logging.LogRecord, Told | None], Any], record: logging.LogRecord, told: Told | None
) -> Any:
    """What objects of the service answer, which may log in their turn, or fail."""
    if _nesting.depth >= _NESTED:
        return None
    _nesting.depth += 1
    try:
        return question(record, told)
    except Exception:
        return None
    finally:
        _nesting.depth -= 1


def _told(record: logging.LogRecord) -> Told | None:
    told: Told | None = record.__dict__.get(TOLD)
    return BRIDGES.told(record.msg) if told is None and BRIDGES.told is not None else told


def _message(record: logging.LogRecord, told: Told | None) -> str:
    return _formatted(record) if told is None else clipped(text_of(told[0]))


def _arguments(record: logging.LogRecord) -> str:
    try:
        return repr(record.args) if record.args else ""
    except Exception:
        return "<arguments without a text>"


def _fields(record: logging.LogRecord, told: Told | None) -> Mapping[str, Any] | None:
    """What the service passed as ``extra=``, or beside the message to another logging library."""
    found: dict[Any, Any] = {}
    if told is not None:
        found.update(told[1])
    elif len(record.__dict__) > _USUAL:
        found = {key: value for key, value in record.__dict__.items() if key not in _BUILT_IN}
    if record.stack_info:
        found["code.stacktrace"] = record.stack_info
    return plain(found) if found else None


def _error(record: logging.LogRecord, told: Told | None) -> Error | None:
    error: Any = record.exc_info[1] if record.exc_info else None
    if error is None and told is not None:  # another thread may log it, where no exception is being handled
        error = told[2]
    if isinstance(error, BaseException):
        return type_of(error), clipped(text_of(error)), clipped(stack_of(error))
    return ("", "", clipped(error)) if isinstance(error, str) else None


def _span_left_by(record: logging.LogRecord) -> trace.SpanContext:
    """For an error that is logged after the span that it has left, as by a server, that span."""
    error = record.exc_info[1] if record.exc_info else None
    for _ in range(_DEPTH):
        if error is None:
            break
        left = left_by(error)
        if left is not None:
            return left
        error = error.__cause__ or error.__context__
    return trace.INVALID_SPAN_CONTEXT


def _site(record: logging.LogRecord) -> Site:
    """Where the service logs; a bridge into logging stands between, and is stepped over."""
    name, level = text_of(record.name), record.levelno if isinstance(record.levelno, int) else 0
    path, line, function = record.pathname, record.lineno, record.funcName
    if isinstance(path, str) and path.startswith(BRIDGES.paths):
        frame = caller(sys._getframe())
        path, line, function = frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name
    return name, level, text_of(path), line if isinstance(line, int) else 0, text_of(function)


def caller(frame: FrameType) -> FrameType:
    """The frame of the service that `frame` has come from, behind all that leads to logging."""
    between = (*BRIDGES.paths, *_LOGGING)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(between):
        frame = frame.f_back
    return frame

"""Takes records of loguru, whichever sinks the service has added or removed, before or after `init()`.

A sink that writes to the console is replaced where we write to it; its level and filter stay in force, and a
record that it would not have shown is neither shown nor sent. Other sinks stay as they are. A service without
a sink for the console has its records taken from INFO on.

Both ways between loguru and logging are known: a record that came from logging, or is led on to it, is taken
once. About one that came from logging the sinks decide alone.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from otel_kit.sdk.logs.console import is_console, writes_to_console
from otel_kit.sdk.logs.entry import BRIDGES, LED, SEEN, TOLD, Told
from otel_kit.sdk.logs.intake import Intake
from otel_kit.sdk.notes import quietly
from otel_kit.sdk.patching import replace

__all__ = ["bridge"]

#: From a sink of loguru to the handler of logging that has called loguru, if one has.
_FRAMES: Final = 20
_CALL_HANDLERS: Final = logging.Logger.callHandlers.__code__
#: Parameters of ``Logger._log``, the fourth of which has a number of frames to step over as its second item.
_PARAMETERS: Final = ("self", "level", "from_decorator", "options", "message", "args", "kwargs")
Record = dict[str, Any]


class _LedOn(threading.local):
    """The record that loguru leads on to logging right now in this thread."""

    record: Record | None = None


def bridge(loguru: ModuleType, intake: Intake, least: int | None) -> None:
    """Take its records from now on.

    Args:
        loguru: the package, imported.
        intake: ours.
        least: level below which records are left out; None leaves that to the sinks.
    """
    led_on = _LedOn()

    def taken(record: logging.LogRecord) -> bool:
        current = led_on.record
        if current is None or record.__dict__.get("extra") is not current["extra"]:
            return False
        record.__dict__[TOLD] = _told(current)  # its message is what a format of the sink has made
        return not _first(current)

    BRIDGES.paths += (str(Path(str(loguru.__file__)).parent),)
    BRIDGES.taken = taken
    handler: Any = sys.modules["loguru._handler"]
    replace(handler.Handler, "emit", _Bridge(loguru, intake, least, led_on).make)
    logger = type(loguru.logger)
    if logger._log.__code__.co_varnames[: len(_PARAMETERS)] == _PARAMETERS:
        replace(logger, "_log", _noting)


def _noting(original: Callable[..., None]) -> Callable[..., None]:
    """``Logger._log``, which leaves out what is below the level of all sinks before any of them sees it."""

    def _log(logger: Any, level: Any, decorates: bool, options: Any, message: Any, *rest: Any) -> None:
        record = quietly("loguru", lambda: _from_logging(message))
        if record is not None:
            record.__dict__[LED] = True
        exception, depth, *more = options
        original(logger, level, decorates, (exception, depth + 1, *more), message, *rest)

    return _log


class _Bridge:
    def __init__(self, loguru: Any, intake: Intake, least: int | None, led_on: _LedOn) -> None:
        self._core = loguru.logger._core
        self._intake = intake
        self._least = least
        self._led_on = led_on
        self._standard = sys.modules["loguru._simple_sinks"].StandardSink
        self._known: tuple[object, bool] = (None, False)

    def make(self, original: Callable[..., None]) -> Callable[..., None]:
        """``Handler.emit``, which each record comes to once for each sink, on the thread that logs."""

        def emit(handler: Any, record: Record, *rest: Any) -> None:
            console = self._is_console(handler)
            if console and self._intake.console:
                shown = _shows(handler, record)
                if shown is None:
                    original(handler, record, *rest)
                elif shown:
                    quietly("loguru", lambda: self._take(record, self._least or 0))
                return
            if isinstance(handler._sink, self._standard):
                before, self._led_on.record = self._led_on.record, record
                try:
                    original(handler, record, *rest)
                finally:
                    self._led_on.record = before
            else:
                original(handler, record, *rest)
            if (console or not self._any_console()) and handler._levelno <= record["level"].no:
                quietly("loguru", lambda: self._take(record, self._least or (0 if console else logging.INFO)))

        return emit

    def _is_console(self, handler: Any) -> bool:
        sink = handler._sink
        if isinstance(sink, self._standard):
            return writes_to_console(sink._handler)
        return is_console(getattr(sink, "_stream", None))

    def _any_console(self) -> bool:
        handlers = self._core.handlers  # another mapping each time that a sink comes or goes
        if self._known[0] is not handlers:
            self._known = handlers, any(map(self._is_console, handlers.values()))
        return self._known[1]

    def _take(self, record: Record, least: int) -> None:
        if record["level"].no < least or not _first(record):
            return
        self._intake.take(_from_logging(record["message"]) or _translated(record))


def _shows(handler: Any, record: Record) -> bool | None:
    """None where the service's filter fails, which loguru tells, and writes nothing."""
    try:
        return handler._levelno <= record["level"].no and (
            handler._filter is None or bool(handler._filter(record))
        )
    except Exception:
        return None


def _told(record: Record) -> Told:
    error = record["exception"]
    return record["message"], record["extra"], error.value if error else None


def _first(record: Record) -> bool:
    first = SEEN not in record
    record[SEEN] = True
    return first


def _from_logging(message: object) -> logging.LogRecord | None:
    """The record of logging that a handler of the service has just given to loguru."""
    if not isinstance(message, str):
        return None
    frame = sys._getframe(1)
    for _ in range(_FRAMES):
        if frame.f_code is _CALL_HANDLERS:
            record = frame.f_locals.get("record")
            same = isinstance(record, logging.LogRecord) and record.getMessage() in message
            return record if same else None
        if frame.f_back is None:
            return None
        frame = frame.f_back
    return None


def _translated(record: Record) -> logging.LogRecord:
    made = logging.LogRecord(
        record["name"] or "root",
        record["level"].no,
        record["file"].path,
        record["line"],
        record["message"],
        None,
        None,
        record["function"],
    )
    made.created = record["time"].timestamp()
    made.__dict__[TOLD] = _told(record)
    return made

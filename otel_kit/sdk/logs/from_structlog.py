"""Takes records of structlog, whether it goes through logging or writes by itself.

The processors of the service run as configured, now or later. Of what reaches the last of them, which makes
a text, we keep the fields; so a record says the same with each renderer.

- Through logging, the record is found again by the very text (or mapping) that the renderer returned.
- ``PrintLogger``, ``WriteLogger`` and ``BytesLogger`` would write it to the console beside our line, so they
  are spared it there; where they write to a file, they do so still.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, Final

from otel_kit.sdk.logs.console import is_console
from otel_kit.sdk.logs.entry import BRIDGES, TOLD, Told, caller
from otel_kit.sdk.logs.intake import Intake
from otel_kit.sdk.notes import quietly
from otel_kit.sdk.patching import replace

__all__ = ["bridge"]

#: What says once more what a record has anyway; ``exception`` may hold the locals of each frame.
_HIDDEN: Final = frozenset(
    {"event", "level", "level_number", "logger", "timestamp", "exc_info", "stack_info", "exception", "stack"}
    | {"_logger", "_name", "_record", "_from_structlog"}
)
#: Arguments of the message, for logging to put in.
_ARGS: Final = "positional_args"
_LEVELS: Final = {
    "debug": logging.DEBUG,
    "warn": logging.WARNING,
    "warning": logging.WARNING,
    "err": logging.ERROR,
    "error": logging.ERROR,
    "exception": logging.ERROR,
    "failure": logging.CRITICAL,
    "fatal": logging.CRITICAL,
    "critical": logging.CRITICAL,
}
#: What has no other effect than a text, which nobody reads where we write.
_RENDERERS: Final = ("structlog.dev", "structlog.processors")
Process = Callable[[Any, str, Any, dict[str, Any]], tuple[Any, Mapping[str, Any]]]


class _Last(threading.local):
    """The last message of this thread that structlog gave to logging, and what was told."""

    message: object = None
    told: Told | None = None


def bridge(structlog: ModuleType, intake: Intake, least: int | None) -> None:
    """Take its records from now on.

    Args:
        structlog: the package, imported.
        intake: ours.
        least: level below which records of its own loggers are left out; None leaves that to structlog.
    """
    last = _Last()

    def told(message: object) -> Told | None:
        return last.told if message is not None and message is last.message else None

    BRIDGES.paths += (str(Path(str(structlog.__file__)).parent),)
    BRIDGES.told = told
    replace(structlog.BoundLoggerBase, "_process_event", _Bridge(structlog, intake, least, last).make)


class _Bridge:
    def __init__(self, structlog: Any, intake: Intake, least: int | None, last: _Last) -> None:
        self._intake = intake
        self._least = 0 if least is None else least
        self._last = last
        self._drop = structlog.DropEvent
        self._renamer = structlog.processors.EventRenamer
        self._writers = (structlog.PrintLogger, structlog.WriteLogger, structlog.BytesLogger)
        self._stack = getattr(structlog.contextvars, "_ASYNC_CALLING_STACK", None)

    def make(self, original: Process) -> Process:
        """``BoundLoggerBase._process_event`` with us at its end; all kinds of bound loggers come by there."""

        def _process_event(
            bound: Any, method_name: str, event: Any, event_kw: dict[str, Any]
        ) -> tuple[Any, Mapping[str, Any]]:
            logger = bound._logger
            ours = isinstance(logger, self._writers)
            if not (ours or isinstance(logger, logging.Logger)) or not bound._processors:
                return original(bound, method_name, event, event_kw)
            error = _error(method_name, event_kw, bound._context)
            *processors, renderer = bound._processors
            key = next((one.to for one in processors if isinstance(one, self._renamer)), "event")
            spared = ours and self._intake.console and is_console(logger._file)
            unread = spared and type(renderer).__module__ in _RENDERERS
            kept: list[Told] = []

            def render(wrapped: Any, name: str, fields: Any) -> Any:
                kept[:] = [_told(fields, error, key)] if isinstance(fields, Mapping) else []
                return "" if kept and unread else renderer(wrapped, name, fields)

            # As `bind` makes one; so a logger that threads share stays as it is.
            twin = type(bound)(logger, [*processors, render], bound._context)
            args, kw = original(twin, method_name, event, event_kw)
            if kept and ours:
                self._take(method_name, kept[0])
                if spared:
                    raise self._drop  # nothing is left to write
            elif kept:
                self._last.message, self._last.told = args[0] if args else kw.get("msg"), kept[0]
            return args, kw

        return _of_structlog(_process_event)

    def _take(self, method: str, told: Told) -> None:
        level = _LEVELS.get(method, logging.INFO)
        if level >= self._least:
            quietly("structlog", lambda: self._intake.take(self._record(level, told)))

    def _record(self, level: int, told: Told) -> logging.LogRecord:
        here = sys._getframe()
        frame = caller(here if self._stack is None else self._stack.get(here))
        code = frame.f_code
        name = frame.f_globals.get("__name__", "root")
        record = logging.LogRecord(
            str(name), level, code.co_filename, frame.f_lineno, told[0], None, None, code.co_name
        )
        record.__dict__[TOLD] = told
        return record


def _of_structlog(function: Any) -> Process:
    """The function, in whose frames structlog and its processors see one of their own, not the caller."""
    known = {**function.__globals__, "__name__": "structlog"}
    return FunctionType(function.__code__, known, function.__name__, None, function.__closure__)


def _told(fields: Mapping[Any, Any], error: BaseException | None, key: str) -> Told:
    """What the fields say; `key` is that of the message."""
    named = {name: value for name, value in fields.items() if name not in _HIDDEN and name != key}
    if key != "event" and "event" in fields:
        named["event"] = fields["event"]
    message = fields.get(key, "")
    if _ARGS in named:  # else a processor has put them into the message
        with contextlib.suppress(Exception):
            message = str(message) % named[_ARGS]
            del named[_ARGS]
    if "stack" in fields:
        named["code.stacktrace"] = fields["stack"]
    written = fields.get("exception")
    return message, named, error or (written if isinstance(written, str) else None)


def _error(method: str, said: Mapping[str, Any], context: Mapping[str, Any]) -> BaseException | None:
    """Before any processor makes a text of it."""
    info = said.get("exc_info", context.get("exc_info", method == "exception"))
    if isinstance(info, tuple) and len(info) == 3:
        info = info[1]
    if info is True or info == 1:
        info = sys.exc_info()[1]
    return info if isinstance(info, BaseException) else None

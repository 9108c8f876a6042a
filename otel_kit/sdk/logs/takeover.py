"""Attaches us where records end up, and again whenever logging is configured anew.

- What a handler would write to the console, whichever logger it is of and whoever put it there, we take at
  that moment, and write in its place where lines go to the console as JSON. Its level and filters stay in
  force: a record that it would not have shown is neither shown nor sent, and what a filter masks is masked.
  Its formatter is not used any more, so masking belongs into a filter.
- What goes into a queue is taken before, where its context is known.
- A gate takes the records of a root logger without a handler for the console. Web servers give their own
  loggers handlers and ``propagate=False``, some of them after `init()`; those known here get gates, too.

Handlers of other kinds, for files and sockets, stay as they are, as does a logger that has only such ones and
does not propagate: its owner wants it so.
"""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from otel_kit.sdk.imports import when_imported
from otel_kit.sdk.logs import from_loguru, from_structlog
from otel_kit.sdk.logs.console import writes_to_console
from otel_kit.sdk.logs.entry import BRIDGES, LED, SEEN
from otel_kit.sdk.logs.intake import Intake
from otel_kit.sdk.notes import LOGGER, quietly
from otel_kit.sdk.patching import replace

__all__ = ["take_over"]

SERVERS: Final = (
    "uvicorn",
    "uvicorn.error",
    "uvicorn.access",
    "gunicorn.error",
    "gunicorn.access",
    "hypercorn.error",
    "hypercorn.access",
)
#: What gives a server's loggers handlers of their own when the server starts.
_STARTS: Final = (("gunicorn.glogging", "setup"), ("hypercorn.logging", "__init__"))


class Gate(logging.Handler):
    """Takes the records of a logger that has no handler for the console; the last of its handlers.

    Args:
        logger: it is a handler of this one.
        intake: where records go on to.
    """

    def __init__(self, logger: logging.Logger, intake: Intake) -> None:
        super().__init__()
        self._logger = logger
        self._intake = intake

    def handle(self, record: logging.LogRecord) -> bool:
        """Pass the record on, unless a handler for the console or loguru decides about it."""
        if SEEN in record.__dict__ or LED in record.__dict__:
            return True
        others = self._logger.handlers
        if self._intake.console and len(others) > 1 and any(map(writes_to_console, others)):
            return False
        self._intake.take(record)
        return True

    def close(self) -> None:
        """Stay usable: logging closes handlers when it is configured again, and this one comes back."""


class _Gates:
    def __init__(self, intake: Intake) -> None:
        loggers = [logging.getLogger(name) for name in (None, *SERVERS)]
        self._gates = [(logger, Gate(logger, intake)) for logger in loggers]

    def attach(self) -> None:
        """Put the gates where they belong."""
        LOGGER.disabled = False  # dictConfig disables the loggers that it does not name
        for logger, gate in self._gates:
            if _belongs(logger):
                logger.addHandler(gate)
            else:
                logger.removeHandler(gate)

    def keep_last(self, original: Callable[..., None]) -> Callable[..., None]:
        """``Logger.addHandler``."""
        gates = dict(self._gates)

        def add(logger: logging.Logger, handler: logging.Handler) -> None:
            original(logger, handler)
            gate = gates.get(logger)
            if gate is not None and gate is not handler and _belongs(logger):
                # Another list: a record may be on its way through this one. Whoever has emptied it wants
                # other handlers, not to be without us.
                logger.handlers = [*(one for one in logger.handlers if one is not gate), gate]

        return add

    def step_aside(self) -> None:
        """For `logging.basicConfig`, which does nothing where the root logger has a handler."""
        logger, gate = self._gates[0]
        logger.removeHandler(gate)


def _belongs(logger: logging.Logger) -> bool:
    """Whether nobody above the logger takes its records, and it has not been silenced.

    ``uvicorn --no-access-log`` takes all handlers away, and asks whether there are any before it logs.
    Workers of gunicorn look the same where no file is named for such lines.
    """
    if logger is logging.root:
        return True
    return not logger.propagate and (bool(logger.handlers) or "gunicorn.glogging" in sys.modules)


def take_over(intake: Intake, *, level: int | None) -> None:
    """Lead records from the root logger and from those of servers to `intake`, now and after each new set-up.

    Args:
        intake: ours. If it writes to the console, other handlers that do so are replaced.
        level: for the root logger; None makes it INFO where nobody has configured that logger.
    """
    root = logging.getLogger()
    if level is not None:
        root.setLevel(level)
    elif root.level == logging.WARNING and not root.handlers:
        root.setLevel(logging.INFO)
    gates = _Gates(intake)
    gates.attach()
    replace(logging.Logger, "addHandler", gates.keep_last)
    replace(logging.Handler, "handle", lambda original: _at_consoles(intake, original))
    when_imported(
        "logging.handlers",
        lambda module: replace(module.QueueHandler, "emit", lambda original: _before(intake, original)),
    )
    BRIDGES.paths += (warnings.__file__, str(Path(warnings.__file__).with_name("_py_warnings.py")))
    logging.captureWarnings(capture=True)
    _around(logging, "basicConfig", gates.step_aside, gates.attach)
    when_imported("logging.config", lambda module: _follow_configurations(module, gates.attach))
    when_imported("structlog", lambda module: from_structlog.bridge(module, intake, level))
    when_imported("loguru", lambda module: from_loguru.bridge(module, intake, level))
    for name, method in _STARTS:
        when_imported(name, lambda module, m=method: _around(module.Logger, m, None, gates.attach))  # type: ignore[misc]


def _at_consoles(intake: Intake, original: Callable[..., Any]) -> Callable[..., Any]:
    console, take = intake.console, intake.take
    plain: type = logging.StreamHandler

    def handle(handler: logging.Handler, record: logging.LogRecord) -> Any:
        # The usual answer without a call: nearly all handlers have the stream that Python began with.
        stream = handler.__dict__.get("stream")
        usual = stream is not None and (stream is sys.__stderr__ or stream is sys.__stdout__)
        if not usual and not writes_to_console(handler):
            return original(handler, record)
        passed: Any = handler.filter(record) if console else original(handler, record)
        if passed is True or passed is record:
            # What comes with Python leaves the message with its arguments at the record.
            made = not console and type(handler) is plain and type(handler.formatter) is logging.Formatter
            take(record, record.__dict__.get("message") if made else None)
        elif passed:
            # Since Python 3.12 a filter may put another record in the place of this one.
            take(passed if isinstance(passed, logging.LogRecord) else record)
            record.__dict__[SEEN] = True
        return passed

    return handle


def _before(intake: Intake, original: Callable[..., Any]) -> Callable[..., Any]:
    def emit(handler: logging.Handler, record: logging.LogRecord) -> None:
        intake.take(record)
        original(handler, record)

    return emit


def _follow_configurations(module: ModuleType, attach: Callable[[], None]) -> None:
    # The class, not the function dictConfig, which services import by name.
    _around(module.DictConfigurator, "configure", None, attach)
    _around(module, "fileConfig", None, attach)


def _around(owner: Any, name: str, before: Callable[[], None] | None, after: Callable[[], None]) -> None:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def configured(*args: Any, **kwargs: Any) -> Any:
            if before is not None:
                quietly("logging", before)
            try:
                return original(*args, **kwargs)
            finally:
                quietly("logging", after)

        return configured

    replace(owner, name, make)

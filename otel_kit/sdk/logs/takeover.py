"""Attaches us where records end up, and again whenever logging is configured anew.

Web servers give their own loggers handlers and ``propagate=False``, some of them after `init()`. Those known
here write through us; any other logger that does not propagate is left alone: its owner wants it
so.

Where lines go to the console as JSON, a handler of the service that writes to stdout or stderr is replaced.
Its level and filters stay in force: a record that it would not have shown is neither shown nor sent, and what
a filter masks is masked. Its formatter is not used any more, so masking belongs into a filter. Handlers of
other kinds, for files and sockets, stay as they are.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from otel_kit.sdk.imports import when_imported
from otel_kit.sdk.logs import from_loguru, from_structlog
from otel_kit.sdk.logs.console import writes_to_console
from otel_kit.sdk.logs.entry import BRIDGES
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
    """Stands for the console handlers that it replaces, and passes on what they would have shown.

    Args:
        intake: where records go on to.
    """

    def __init__(self, intake: Intake) -> None:
        super().__init__()
        self._take = intake.take
        self.replaced: list[logging.Handler] = []

    def handle(self, record: logging.LogRecord) -> bool:
        """Pass the record on, as the filters have left it."""
        passed = self._passed(record) if self.replaced else record
        if passed is None:
            return False
        self._take(passed)
        return True

    def _passed(self, record: logging.LogRecord) -> logging.LogRecord | None:
        for handler in self.replaced:
            if record.levelno >= handler.level:
                passed = handler.filter(record)
                if passed:
                    # Since Python 3.12 a filter may put another record in the place of this one.
                    return passed if isinstance(passed, logging.LogRecord) else record
        return None

    def close(self) -> None:
        """Stay usable: logging closes handlers when it is configured again, and this one comes back."""


class _LastResort(Gate):
    """For loggers without any handler, which do not pass their records on to the root either."""

    def __init__(self, intake: Intake, before: logging.Handler | None) -> None:
        super().__init__(intake)
        self.setLevel(logging.WARNING if before is None else before.level)
        self._before = None if intake.console else before

    def handle(self, record: logging.LogRecord) -> bool:
        """Pass the record on, and to stderr as before unless we write to the console."""
        if self._before is not None:
            self._before.handle(record)
        return super().handle(record)


class _Takeover:
    def __init__(self, intake: Intake) -> None:
        self._console = intake.console
        self._gates = {name: Gate(intake) for name in (None, *SERVERS)}

    def attach(self) -> None:
        """Put the gates where they belong."""
        LOGGER.disabled = False  # dictConfig disables the loggers that it does not name
        for name, gate in self._gates.items():
            logger = logging.getLogger(name)
            if name is not None and logger.propagate:
                logger.removeHandler(gate)
                self._silence(logger)
            else:
                self._attach(logger, gate)

    def _attach(self, logger: logging.Logger, gate: Gate) -> None:
        found = self._silence(logger)
        if gate in logger.handlers:
            gate.replaced += found
        else:
            gate.replaced = found
            logger.addHandler(gate)

    def _silence(self, logger: logging.Logger) -> list[logging.Handler]:
        """Remove what writes to the console beside us; files, sockets and captures of tests stay."""
        found = [handler for handler in logger.handlers if self._console and writes_to_console(handler)]
        for handler in found:
            logger.removeHandler(handler)
        return found

    def step_aside(self) -> None:
        """For `logging.basicConfig`, which does nothing where the root logger has a handler."""
        gate = self._gates[None]
        if not gate.replaced:
            logging.getLogger().removeHandler(gate)


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
    takeover = _Takeover(intake)
    takeover.attach()
    logging.lastResort = _LastResort(intake, logging.lastResort)
    BRIDGES.paths += (warnings.__file__, str(Path(warnings.__file__).with_name("_py_warnings.py")))
    logging.captureWarnings(capture=True)
    _around(logging, "basicConfig", takeover.step_aside, takeover.attach)
    when_imported("logging.config", lambda module: _follow_configurations(module, takeover.attach))
    when_imported("structlog", lambda module: from_structlog.bridge(module, intake, level))
    when_imported("loguru", lambda module: from_loguru.bridge(module, intake, level))
    for name, method in _STARTS:
        when_imported(name, lambda module, m=method: _around(module.Logger, m, None, takeover.attach))  # type: ignore[misc]


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

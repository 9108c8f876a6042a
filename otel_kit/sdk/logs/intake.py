"""Where all records come in, whichever way they took: each once, and never at the expense of the service.

No lock is taken here: a record may come from a signal handler or from `__del__`, amid another one of the same
thread.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY

from otel_kit.sdk.logs.detour import Detour
from otel_kit.sdk.logs.entry import BRIDGES, SEEN, Entry, entry_of
from otel_kit.sdk.logs.redaction import EntryRedactor
from otel_kit.sdk.notes import RateLimit
from otel_kit.sdk.tracing.context import current

if TYPE_CHECKING:
    from otel_kit.sdk.logs.lines import Lines
    from otel_kit.sdk.logs.loggers import Loggers
    from otel_kit.sdk.logs.text import TextLines

__all__ = ["Intake", "Stdout"]

#: Loggers whose records an export may cause, which would need another export.
_OWN: Final = ("opentelemetry", "otel_kit")
_FAULTS: Final = RateLimit(60.0)


class Stdout:
    """Writes one line a record to whatever `sys.stdout` is at that moment.

    Args:
        lines: makes them.
    """

    def __init__(self, lines: Lines | TextLines) -> None:
        self._lines = lines
        self._detour = Detour()
        self._complaints: dict[tuple[str, str], RateLimit] = {}

    def write(self, entry: Entry, *, sent: bool) -> None:
        """Write the line in one piece."""
        name = entry[0][0]
        if name.startswith("opentelemetry") and not self._new(name, entry[3]):
            return
        line = self._lines.line(entry, sent=sent) + "\n"
        out: Any = sys.stdout
        if out is not sys.__stdout__ and out is not self._detour.plain and out is not None:
            out = self._detour.way(out, line, entry[3])
        if out is None:  # as under pythonw, or late at exit
            return
        try:
            out.write(line)
            out.flush()
        except RuntimeError:  # a handler of a signal writes amid another write of its thread
            os.write(out.fileno(), line.encode())

    def _new(self, name: str, message: str) -> bool:
        """The SDK repeats a complaint with every span it concerns; once a minute is enough."""
        key = (name, message)
        if key not in self._complaints and len(self._complaints) < 100:
            self._complaints[key] = RateLimit(60.0)
        return key in self._complaints and self._complaints[key].allows()


class Intake:
    """Takes records down and passes them on.

    Records from the library's own threads and loggers are not sent: each export would otherwise log something
    that needs another export.

    Args:
        stdout: writes lines, if any are wanted.
        loggers: the way to OTLP, if that is wanted.
        redactor: for what is written to stdout, and then for what is sent as well.
        baggage: keys of baggage entries that become fields.
    """

    def __init__(
        self,
        *,
        stdout: Stdout | None,
        loggers: Loggers | None,
        redactor: EntryRedactor | None = None,
        baggage: Sequence[str] = (),
    ) -> None:
        self._stdout = stdout
        self._loggers = loggers
        self._allows: Callable[[logging.LogRecord], bool] | None = None
        self._redactor = redactor
        self._baggage = tuple(baggage)

    @property
    def console(self) -> bool:
        """Records are written to stdout, so nobody else should write them to the console."""
        return self._stdout is not None

    def write_to(self, stdout: Stdout) -> None:
        """Write other lines from now on."""
        self._stdout = stdout

    def limit(self, allows: Callable[[logging.LogRecord], bool]) -> None:
        """Leave out the records from now on that `allows` says no to."""
        self._allows = allows

    def take(self, record: logging.LogRecord, message: str | None = None, *, always: bool = False) -> bool:
        """Take a record, unless it was taken before. Never raises.

        Args:
            record: as the standard library or a bridge made it.
            message: see `entry_of`.
            always: whatever the limits are.

        Returns:
            Whether it has been passed on.
        """
        try:
            marks = record.__dict__
            if SEEN in marks:
                return False
            marks[SEEN] = True
            if BRIDGES.taken is not None and BRIDGES.taken(record):
                return False
            if self._allows is not None and not always and not self._allows(record):
                return False
            context = current()
            entry = entry_of(record, context, self._baggage, message)
            if self._redactor is not None:
                entry = self._redactor.redacted(entry)
            sent = False
            if (
                self._loggers is not None
                and not context.get(_SUPPRESS_INSTRUMENTATION_KEY)
                and not (entry[0][0].startswith(_OWN) and entry[0][0].partition(".")[0] in _OWN)
            ):
                self._loggers.emit(entry)
                sent = True
            if self._stdout is not None:
                self._stdout.write(entry, sent=sent)
        except Exception as error:
            _tell(error)
            return False
        return True


def _tell(error: Exception) -> None:
    """One line a minute: logging's own way would be a traceback for each record."""
    err: Any = sys.stderr
    if err is None or not _FAULTS.allows():
        return
    try:
        err.write(f"otel-kit: log records cannot be written: {type(error).__name__}\n")
    except Exception:  # then nobody can be told
        return

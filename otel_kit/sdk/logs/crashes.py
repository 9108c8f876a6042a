"""Errors that nobody has caught become records, too, as Python is about to print them.

Where our lines go to the console, they take the place of the traceback that Python prints, which would be the
same once more, with all secrets. A hook of the service runs after ours, as it would without us. What is typed
at a prompt is no crash, nor are SystemExit and KeyboardInterrupt.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

from otel_kit.sdk.imports import when_imported
from otel_kit.sdk.logs.entry import SEEN
from otel_kit.sdk.logs.intake import Intake
from otel_kit.sdk.notes import fault
from otel_kit.sdk.patching import replace

__all__ = ["watch"]

_LOGGER: Final = "uncaught"
_MESSAGE: Final = "uncaught exception"


def watch(intake: Intake) -> None:
    """Have `intake` take what ends the process, one of its threads, or a child of multiprocessing."""
    crashes = _Crashes(intake)
    replace(sys, "excepthook", crashes.of_the_process)
    replace(threading, "excepthook", crashes.of_a_thread)
    when_imported("multiprocessing.process", crashes.of_children)


class _Crashes:
    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    def of_the_process(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """``sys.excepthook``."""

        def excepthook(kind: Any, error: Any, trace: Any) -> Any:
            shown = self._shown(error, logging.CRITICAL)
            if not shown or original is not sys.__excepthook__:
                return original(kind, error, trace)
            return None

        return excepthook

    def of_a_thread(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """``threading.excepthook``; the process goes on."""

        def excepthook(args: Any) -> Any:
            name = getattr(args.thread, "name", None)
            shown = self._shown(args.exc_value, logging.ERROR, **{"thread.name": name} if name else {})
            if not shown or original is not threading.__excepthook__:
                return original(args)
            return None

        return excepthook

    def of_children(self, module: ModuleType) -> None:
        """Children of multiprocessing print their errors themselves, unless they end by SystemExit."""

        def make(original: Callable[..., Any]) -> Callable[..., Any]:
            def bootstrap(process: Any, *args: Any, **kwargs: Any) -> Any:
                run = process.run

                def run_to_its_end() -> None:
                    try:
                        run()
                    except Exception as error:
                        if self._shown(error, logging.CRITICAL, **{"process.name": process.name}):
                            raise SystemExit(1) from None  # the exit code that any error has
                        raise

                process.__dict__["run"] = run_to_its_end
                return original(process, *args, **kwargs)

            return bootstrap

        replace(module.BaseProcess, "_bootstrap", make)

    def _shown(self, error: Any, level: int, **fields: str) -> bool:
        """Record the error; whether it is on the console now."""
        if not isinstance(error, BaseException) or isinstance(error, SystemExit | KeyboardInterrupt):
            return False
        if hasattr(sys, "ps1"):  # people at a prompt
            return False
        try:
            self._intake.deliver(_record(error, level, fields))
        except Exception:  # as where stdout is a closed pipe
            fault("an uncaught exception")
            return False
        return self._intake.console and sys.stdout is not None


def _record(error: BaseException, level: int, fields: dict[str, str]) -> logging.LogRecord:
    """A record from where the error was raised."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    path, line, function = "", 0, ""
    if trace is not None:
        code = trace.tb_frame.f_code
        path, line, function = code.co_filename, trace.tb_lineno or 0, code.co_name
    told = (type(error), error, error.__traceback__)
    record = logging.LogRecord(_LOGGER, level, path, line, _MESSAGE, (), told, function)
    record.__dict__.update(fields, **{SEEN: True})
    return record

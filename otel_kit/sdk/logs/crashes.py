"""Errors that nobody has caught become records, too, as Python is about to print them.

Where our lines go to the console, they take the place of the traceback that Python prints, which would be the
same once more, with all secrets. A hook of the service runs after ours, as it would without us. What is typed
at a prompt is no crash, nor are SystemExit and KeyboardInterrupt.
"""

from __future__ import annotations

import importlib
import logging
import sys
import threading
import traceback
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

from otel_kit.sdk.imports import when_imported
from otel_kit.sdk.logs.intake import Intake
from otel_kit.sdk.notes import fault
from otel_kit.sdk.patching import replace

__all__ = ["watch"]

_LOGGER: Final = "uncaught"

#: An error with its level, the message about it, and fields.
_Crash = tuple[Any, int, str, dict[str, str]]


def watch(intake: Intake) -> None:
    """Have `intake` take what ends the process, a thread or a child of it, and what Python ignores."""
    crashes = _Crashes(intake)
    replace(sys, "excepthook", crashes.before(sys.__excepthook__, _of_the_process))
    replace(threading, "excepthook", crashes.before(threading.__excepthook__, _of_a_thread))
    replace(sys, "unraisablehook", crashes.before(sys.__unraisablehook__, _ignored))
    when_imported("multiprocessing.process", crashes.of_children)


def _of_the_process(_kind: Any, error: Any, _trace: Any) -> _Crash:
    return error, logging.CRITICAL, "uncaught exception", {}


def _of_a_thread(args: Any) -> _Crash:
    """The process goes on."""
    fields = {} if args.thread is None else {"thread.name": args.thread.name}
    return args.exc_value, logging.ERROR, "uncaught exception", fields


def _ignored(args: Any) -> _Crash:
    """What Python cannot hand on: errors of ``__del__``, of what runs at exit, of threads by ``_thread``."""
    return args.exc_value, logging.ERROR, "ignored exception", {"ignored.in": repr(args.object)}


class _Crashes:
    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    def before(
        self, default: Callable[..., Any], crash: Callable[..., _Crash]
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Makes a hook that comes before another one, and in the place of Python's own, the default."""

        def make(original: Callable[..., Any]) -> Callable[..., Any]:
            # At the very end a module may have lost what is global in it.
            finalizing, shown = sys.is_finalizing, self._shown

            def hook(*args: Any) -> Any:
                if not finalizing() and shown(lambda: crash(*args)) and original is default:
                    return None
                return original(*args)

            return hook

        return make

    def of_children(self, module: ModuleType) -> None:
        """Children of multiprocessing print their errors themselves, unless they end by SystemExit."""

        def make(original: Callable[..., Any]) -> Callable[..., Any]:
            def bootstrap(process: Any, *args: Any, **kwargs: Any) -> Any:
                run = process.run

                def run_to_its_end() -> None:
                    try:
                        run()
                    except Exception as error:
                        crash = _of_the_process(None, error, None)
                        if self._shown(lambda: (*crash[:3], {"process.name": process.name})):
                            raise SystemExit(1) from None  # the exit code that any error has
                        raise

                process.__dict__["run"] = run_to_its_end
                return original(process, *args, **kwargs)

            return bootstrap

        replace(module.BaseProcess, "_bootstrap", make)
        if module.parent_process() is not None:
            self._of_this_child(module)

    def _of_this_child(self, module: ModuleType) -> None:
        """`init` is called within a child's work: the frame that prints its error runs already."""

        def shown() -> bool:
            error, level, message, _ = _of_the_process(None, sys.exc_info()[1], None)
            return self._shown(
                lambda: (error, level, message, {"process.name": module.current_process().name})
            )

        if sys.version_info < (3, 13):
            _as_finalizers_run(shown)
            return

        def make(original: Callable[..., Any]) -> Callable[..., Any]:
            def print_exc(*args: Any, **kwargs: Any) -> Any:
                caller = sys._getframe(1).f_code
                if (caller.co_name, caller.co_filename) == ("_bootstrap", module.__file__) and shown():
                    return None
                return original(*args, **kwargs)

            return print_exc

        replace(traceback, "print_exc", make)

    def _shown(self, crash: Callable[[], _Crash]) -> bool:
        """Record the error; whether it is on the console now."""
        try:
            error, level, message, fields = crash()
            if not isinstance(error, BaseException) or isinstance(error, SystemExit | KeyboardInterrupt):
                return False
            if hasattr(sys, "ps1"):  # people at a prompt
                return False
            # It is not, for instance, where stdout is a closed pipe.
            recorded = self._intake.take(_record(error, level, message, fields), always=True)
        except Exception:
            fault("an uncaught exception")
            return False
        return recorded and self._intake.console and sys.stdout is not None


def _as_finalizers_run(shown: Callable[[], bool]) -> None:
    """Before Python 3.13 finalizers of a child run while its error is on its way, and flush."""
    util: Any = importlib.import_module("multiprocessing.util")
    printed: list[bool] = []

    def leave() -> None:
        if any(printed):
            raise SystemExit(1)

    util.Finalize(None, lambda: printed.append(shown()), exitpriority=1)  # before the last flush
    util.Finalize(None, leave, exitpriority=-1_000_000)  # after all others, which it would keep from running


def _record(error: BaseException, level: int, message: str, fields: dict[str, str]) -> logging.LogRecord:
    """A record from where the error was raised."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    path, line, function = "", 0, ""
    if trace is not None:
        code = trace.tb_frame.f_code
        path, line, function = code.co_filename, trace.tb_lineno or 0, code.co_name
    told = (type(error), error, error.__traceback__)
    record = logging.LogRecord(_LOGGER, level, path, line, message, (), told, function)
    record.__dict__.update(fields)
    return record

"""Attaches the handlers where records end up, and again whenever logging is configured anew.

Web servers give their own loggers handlers and ``propagate=False``, some of them after `init()`. Those known
here write through our handlers; any other logger that does not propagate is left alone: its owner wants it
so.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Sequence
from types import ModuleType
from typing import Any, Final

from otel_kit.sdk.imports import when_imported
from otel_kit.sdk.log_handlers import KitHandler
from otel_kit.sdk.notes import quietly
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


def take_over(handlers: Sequence[KitHandler], *, console: bool, level: int | None) -> None:
    """Attach `handlers` to the root logger and to those of servers, now and after each new configuration.

    Args:
        handlers: ours.
        console: they write to the console, so other handlers that do so are removed.
        level: for the root logger; None raises its verbosity to INFO where nobody has chosen one.
    """
    root = logging.getLogger()
    if level is not None:
        root.setLevel(level)
    elif root.level == logging.WARNING:
        root.setLevel(logging.INFO)

    def attach() -> None:
        _attach(root, handlers, console=console)
        for name in SERVERS:
            logger = logging.getLogger(name)
            if logger.propagate:
                _detach(logger, handlers)
                if console:
                    _silence(logger)
            else:
                _attach(logger, handlers, console=console)

    attach()
    _after(logging, "basicConfig", attach)
    when_imported("logging.config", lambda module: _follow_configurations(module, attach))


def _follow_configurations(module: ModuleType, attach: Callable[[], None]) -> None:
    # The class, not the function dictConfig, which services import by name.
    _after(module.DictConfigurator, "configure", attach)
    _after(module, "fileConfig", attach)


def _after(owner: Any, name: str, attach: Callable[[], None]) -> None:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def configured(*args: Any, **kwargs: Any) -> Any:
            try:
                return original(*args, **kwargs)
            finally:
                quietly("logging", attach)

        return configured

    replace(owner, name, make)


def _attach(logger: logging.Logger, handlers: Iterable[KitHandler], *, console: bool) -> None:
    if console:
        _silence(logger)
    for handler in handlers:
        if handler not in logger.handlers:
            logger.addHandler(handler)


def _detach(logger: logging.Logger, handlers: Iterable[KitHandler]) -> None:
    for handler in handlers:
        logger.removeHandler(handler)


def _silence(logger: logging.Logger) -> None:
    """Remove what writes to the console beside us; files, sockets and captures of tests stay."""
    streams = (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)
    for handler in list(logger.handlers):
        if isinstance(handler, logging.StreamHandler) and any(handler.stream is s for s in streams):
            logger.removeHandler(handler)

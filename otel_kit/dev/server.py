"""Run the stand-in: bind, serve, evaluate, stop cleanly on SIGTERM and Ctrl-C."""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import uvicorn

from otel_kit.dev.scheduler import Scheduler
from otel_kit.dev.store.database import open_database
from otel_kit.dev.store.retention import DEFAULT_KEEP
from otel_kit.dev.web.app import create_app
from otel_kit.errors import ToolError

__all__ = ["DevSettings", "run"]

_HOST: Final = "127.0.0.1"
_BACKLOG: Final = 512
_SWITCH_S: Final = 0.0005
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True, kw_only=True)
class DevSettings:
    """How to run it. `port` 0 takes any free one; without `db` nothing outlives the process."""

    port: int
    db: Path | None = None
    evaluate_every_s: float = 60.0
    keep: int = DEFAULT_KEEP


def run(settings: DevSettings, started: Callable[[int], None]) -> None:
    """Serve until told to stop; `started` gets the port as soon as connections are taken.

    Raises:
        ToolError: the port is taken, or the database is in use.
        InputError: the database cannot be used.
    """
    with _clean_end(), _bound(settings.port) as listener, open_database(settings.db) as database:
        scheduler = Scheduler(database, settings.evaluate_every_s)

        @contextlib.asynccontextmanager
        async def lifespan(_app: Any) -> AsyncIterator[None]:
            scheduler.start()
            started(int(listener.getsockname()[1]))
            try:
                yield
            finally:
                scheduler.stop()

        # A monitor under evaluation must not make each request wait for Python's usual 5 ms turns.
        sys.setswitchinterval(_SWITCH_S)
        app = create_app(database, keep=settings.keep, lifespan=lifespan)
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, lifespan="on", timeout_graceful_shutdown=3
        )
        _Server(config).run(sockets=[listener])


@contextlib.contextmanager
def _bound(port: int) -> Iterator[socket.socket]:
    # asyncio sets TCP_NODELAY only where the protocol is named; without it an answer waits 40 ms for an ACK.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((_HOST, port))
        except OSError as error:
            raise ToolError(
                f"cannot listen on {_HOST}:{port}: {error.strerror or error}",
                fix="stop what uses the port, or name another one with --port",
            ) from None
        listener.listen(_BACKLOG)
        yield listener


class _Stop(BaseException):
    """A signal came before there was a server that it could stop."""


@contextlib.contextmanager
def _clean_end() -> Iterator[None]:
    """End on a signal as if all was done: before the server runs, while it runs, and after it."""

    def stop(*_: object) -> None:
        _handle(signal.SIG_IGN)
        raise _Stop

    previous = [(number, signal.getsignal(number)) for number in _SIGNALS]
    _handle(stop)
    try:
        yield
    except _Stop:
        pass
    finally:
        for number, handler in previous:
            signal.signal(number, handler)


def _handle(handler: Any) -> None:
    for number in _SIGNALS:
        signal.signal(number, handler)


class _Server(uvicorn.Server):
    """uvicorn's own handling raises the signal again at the end; here a signal is a clean end."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        _handle(self.handle_exit)
        try:
            yield
        finally:
            # What is left is to close the database; a second signal must not stop that half-way.
            _handle(signal.SIG_IGN)

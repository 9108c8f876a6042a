"""Real parts for the tests: one way to start a process, wait until it serves, and stop it cleanly.

Everything a test talks to (collector, stand-in, uvicorn, gRPC, gunicorn) is started by `start`. A part is a
context manager, so a failing test never leaves a process behind::

    with start([sys.executable, "-m", "uvicorn", ...], ready=http_ready(url)) as bff:
        ...
        bff.terminate()          # SIGTERM, as Kubernetes does it
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import itertools
import os
import random
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TypeVar

T = TypeVar("T")
ROOT = Path(__file__).resolve().parent.parent

__all__ = ["ROOT", "Part", "eventually", "free_port", "free_ports", "http_ready", "port_ready", "start"]


# Below the range from which the system takes ports for outgoing connections (32768 and up on Linux): a port
# stays free between the moment it is handed out and the moment its process binds it.
_FIRST_PORT, _BLOCK, _BLOCKS = 10_000, 200, 110


@functools.cache
def _ports_of(pid: int) -> Iterator[int]:
    """The ports of a block that belongs to this process alone, also beside other runs of the tests.

    The lock on the block's file is held until the process ends.
    """
    for number in random.sample(range(_BLOCKS), _BLOCKS):
        file = Path(tempfile.gettempdir()) / f"otel-kit-test-ports-{number}"
        with contextlib.suppress(OSError):  # taken, or the file of another user
            descriptor = os.open(file, os.O_CREAT | os.O_RDWR)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(descriptor)
                raise
            first = _FIRST_PORT + number * _BLOCK
            return itertools.cycle(range(first, first + _BLOCK))
    raise AssertionError(f"process {pid} finds no block of ports that no other process has")


def _is_free(port: int) -> bool:
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(count: int) -> list[int]:
    """`count` different loopback ports that nobody listens on and that are given to nobody else."""
    candidates = itertools.islice(_ports_of(os.getpid()), _BLOCK)
    return list(itertools.islice(filter(_is_free, candidates), count))


def free_port() -> int:
    """One loopback port that nobody listens on and that is given to nobody else."""
    return free_ports(1)[0]


def port_ready(port: int) -> Callable[[], bool]:
    """A check that something accepts connections on 127.0.0.1:`port`."""

    def ready() -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.5):
            return True
        return False

    return ready


def http_ready(url: str) -> Callable[[], bool]:
    """A check that `url` answers with a status below 500."""

    def ready() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:
                return bool(answer.status < 500)
        except urllib.error.HTTPError as error:
            return error.code < 500
        except OSError:
            return False

    return ready


def eventually(check: Callable[[], T], *, timeout: float = 20.0, every: float = 0.1, what: str = "") -> T:
    """The first true value of `check`, or AssertionError after `timeout` seconds with its last value."""
    deadline = time.monotonic() + timeout
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not seen within {timeout} s: {what or check}; last value: {value!r}")
        time.sleep(every)


@dataclass
class Part:
    """A running process. Its output goes to a file, so that a full pipe never blocks it."""

    args: Sequence[str]
    process: subprocess.Popen[bytes]
    log: IO[bytes] = field(repr=False)

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    def output(self) -> str:
        """All that it has written to stdout and stderr so far."""
        return Path(self.log.name).read_text(errors="replace")

    def wait(self, timeout: float = 30.0) -> int:
        """Wait for its end; the exit code (negative: the signal that ended it)."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)  # Python and Go then write what their threads are at
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(5)
            raise AssertionError(f"{self.args[0]} still runs after {timeout} s:\n{self.output()}") from None

    def terminate(self, timeout: float = 30.0) -> int:
        """SIGTERM, then wait; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait(timeout)

    def stop(self, grace: float = 5.0) -> None:
        """SIGTERM to it and to its children; SIGKILL to what is left after `grace` seconds."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(grace)
        self.kill()

    def kill(self) -> None:
        """SIGKILL to it and to its children, then wait."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


_KEPT = frozenset({"PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV"})


@contextlib.contextmanager
def start(
    args: Sequence[str | Path],
    *,
    ready: Callable[[], bool] | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    timeout: float = 30.0,
) -> Iterator[Part]:
    """Start a process in a group of its own, wait until `ready`, stop what is left of it at the end.

    `env` is added to a small, clean environment: no OTEL_*, DD_* or proxy setting of the caller leaks in.
    """
    keep = {k: v for k, v in os.environ.items() if k in _KEPT}
    command = [str(a) for a in args]
    with tempfile.NamedTemporaryFile(prefix="otel-kit-part-") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env={**keep, "PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1", **(env or {})},
            start_new_session=True,
        )
        part = Part(command, process, log)
        try:
            if ready is not None:
                _wait_ready(part, ready, timeout)
            yield part
        finally:
            part.stop()


def _wait_ready(part: Part, ready: Callable[[], bool], timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while not ready():
        if part.process.poll() is not None:
            raise AssertionError(f"{part.args} ended with {part.process.returncode}:\n{part.output()}")
        if time.monotonic() > deadline:
            raise AssertionError(f"{part.args} is not ready after {timeout} s:\n{part.output()}")
        time.sleep(0.05)

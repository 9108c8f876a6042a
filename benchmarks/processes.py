"""Processes on cores of their own, their CPU time and memory by /proc, and runs in fair order."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

__all__ = [
    "DRIVER",
    "RESULT",
    "SERVER",
    "cpu_seconds",
    "free_port",
    "interleaved",
    "resident_bytes",
    "run_json",
    "spawn",
    "stop",
    "wait_for_port",
]

T = TypeVar("T")
_CORES: Final = sorted(os.sched_getaffinity(0))
#: What is measured has the first core to itself; its load and the sink share the others.
SERVER: Final = frozenset(_CORES[:1])
DRIVER: Final = frozenset(_CORES[1:]) or SERVER
#: What a result begins with; peers may write to stdout as well.
RESULT: Final = "RESULT "
_ROOT: Final = Path(__file__).resolve().parent.parent
_TICKS: Final = os.sysconf("SC_CLK_TCK")


def spawn(
    command: Sequence[str | Path],
    *,
    cores: frozenset[int],
    env: Mapping[str, str] | None = None,
    **options: Any,
) -> subprocess.Popen[bytes]:
    """Start a process on `cores`; `options` are those of Popen."""
    return subprocess.Popen(
        command, env=env, cwd=_ROOT, preexec_fn=lambda: os.sched_setaffinity(0, cores), **options
    )


def run_json(
    command: Sequence[str | Path],
    *,
    cores: frozenset[int],
    env: Mapping[str, str] | None = None,
    timeout: float = 120,
) -> Any:
    """Run a process to its end; what it printed after `RESULT`, as JSON.

    Raises:
        RuntimeError: it failed, or took longer than `timeout` seconds; the end of what it wrote to stderr.
    """
    with tempfile.TemporaryFile() as errors:
        process = spawn(command, cores=cores, env=env, stdout=subprocess.PIPE, stderr=errors)
        try:
            output, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            output = b""
        finally:
            stop(process, patience=0)
        for line in output.splitlines():
            if line.startswith(RESULT.encode()):
                return json.loads(line[len(RESULT) :])
        errors.seek(0)
        raise RuntimeError(
            f"{command}: {process.returncode}: {errors.read().decode(errors='replace')[-3000:]}"
        )


def stop(process: subprocess.Popen[bytes], *, patience: float = 40.0) -> None:
    """SIGTERM, and SIGKILL after `patience` seconds; nothing where it has ended."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    """A loopback port that nobody listens on right now."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def wait_for_port(port: int, process: subprocess.Popen[bytes], *, timeout: float = 60.0) -> None:
    """Wait until `process` listens on `port`.

    Raises:
        RuntimeError: it ended, or does not listen in time.
    """
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"nobody listens on {port}; the server's exit code is {process.poll()}")


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads of a process so far, ended ones included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_bytes(pid: int) -> int:
    """Memory of a process that is in RAM now."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def interleaved(items: Sequence[T], repeats: int) -> Iterator[T]:
    """A B C, B C A, C A B, ...: what drifts on the machine hits all alike."""
    for number in range(repeats):
        shift = number % len(items) if items else 0
        yield from items[shift:]
        yield from items[:shift]

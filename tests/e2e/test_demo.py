"""`make demo`, as a newcomer runs it."""

from __future__ import annotations

import signal
import socket
import sys
from pathlib import Path

import pytest

from tests.parts import eventually, free_port, start


def test_the_demo_sees_all_of_it() -> None:
    port = free_port()
    with start([sys.executable, "-m", "examples.demo", "--port", str(port)]) as demo:
        code = demo.wait(120)
        output = demo.output()
    assert code == 0, output
    assert "✗" not in output
    for fact in ("HTTP requests at the BFF", "Trace ", "log lines", "-> Alert", "Dropped anywhere: 0"):
        assert fact in output, output


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_every_process(signum: signal.Signals) -> None:
    port = free_port()
    with start([sys.executable, "-m", "examples.demo", "--port", str(port)]) as demo:
        eventually(lambda: "Sending requests" in demo.output(), timeout=60)
        children = _descendants(demo.pid)
        assert len(children) >= 4
        demo.process.send_signal(signum)
        assert demo.wait(20) == 130
        assert "Traceback" not in demo.output()
        eventually(lambda: not any(_runs(pid) for pid in children), timeout=5)


def test_a_taken_port_is_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with start([sys.executable, "-m", "examples.demo", "--port", str(port)]) as demo:
            assert demo.wait(20) == 1
            lines = demo.output().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"error: port {port} is taken")


def _descendants(pid: int) -> set[int]:
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(text.rpartition(")")[2].split()[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False

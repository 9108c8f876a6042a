"""`otel-kit plan` and `otel-kit apply`, as people and CI run them."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import system
from tests.datadog.management import Management
from tests.datadog.proxy import Fault, proxy
from tests.parts import ROOT, eventually, free_port, start

KEYS = {"DD_API_KEY": "0123456789abcdef" * 2, "DD_APP_KEY": "fedcba9876543210" * 2}

MONITOR = """\
monitors:
  errors:
    name: Errors
    type: query alert
    query: sum(last_5m):sum:errors{*}.as_count() > ${thresholds.critical}
    message: Too many.
    options:
      thresholds: {critical: 5}
"""


@dataclass(frozen=True, slots=True)
class Run:
    """How a command ended."""

    code: int
    out: str
    err: str


def run(*args: str, env: Mapping[str, str] = KEYS, cwd: Path = ROOT, host: str | None = None) -> Run:
    """Run `otel-kit` in a process of its own, with nothing of our environment."""
    at = {"DD_HOST": host} if host else {}
    done = subprocess.run(
        [sys.executable, "-m", "otel_kit.cli", *args],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **env, **at},
    )
    return Run(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def stand_in() -> Iterator[Management]:
    with system.stand_in() as running:
        yield Management(running.url)


@pytest.fixture
def folder(tmp_path: Path, stand_in: Management) -> Path:
    stand_in.clear()
    for name in ("monitors", "dashboards"):
        (tmp_path / name).mkdir()
    (tmp_path / "monitors" / "a.yaml").write_text(MONITOR)
    return tmp_path


def test_the_way_of_a_change(stand_in: Management) -> None:
    stand_in.clear()
    first = run("plan", host=stand_in.url)
    assert (first.code, first.err) == (2, "")
    assert first.out.endswith("\nPlan: 7 to create, 0 to update, 0 unchanged.\n")
    assert "  + http-error-rate-shop-bff  shop-bff: HTTP error rate  (monitors/http.yaml:" in first.out
    assert "\x1b" not in first.out
    applied = run("apply", "--yes", host=stand_in.url)
    assert (applied.code, applied.err) == (0, "")
    assert "+ created dashboard 'shop' (" in applied.out
    assert applied.out.endswith("Applied: 7 created, 0 updated.\n")
    after = run("plan", host=stand_in.url)
    assert after == Run(0, "No changes: all 7 objects are in Datadog as the files want them.\n", "")
    assert run("apply", "--yes", host=stand_in.url) == after

    edited = stand_in.monitor("shop-bff: HTTP latency")
    stand_in.call("PUT", f"monitor/{edited['id']}", {"priority": 5})
    drift = run("plan", host=stand_in.url)
    assert drift.code == 2
    assert drift.out.splitlines()[2:] == [
        "      priority: 5 -> 1",
        "",
        "Plan: 0 to create, 1 to update, 6 unchanged.",
    ]
    mended = run("apply", "--yes", host=stand_in.url)
    assert "~ updated monitor 'http-latency-shop-bff' (" in mended.out
    assert run("plan", host=stand_in.url).code == 0


def test_nobody_to_ask_means_no_write(folder: Path, stand_in: Management) -> None:
    ended = run("apply", cwd=folder, host=stand_in.url)
    assert ended == Run(
        1, "", "error: apply asks before it writes, and nobody is there to answer; add --yes\n"
    )
    assert stand_in.monitors() == []


@pytest.mark.parametrize(("answer", "code", "count"), [("y\n", 0, 1), ("\n", 1, 0)])
def test_a_terminal_is_asked(folder: Path, stand_in: Management, answer: str, code: int, count: int) -> None:
    ours, theirs = pty.openpty()
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **KEYS, "DD_HOST": stand_in.url}
    process = subprocess.Popen(
        [sys.executable, "-m", "otel_kit.cli", "apply"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=folder,
        env={**env, "TERM": "xterm"},
    )
    os.close(theirs)
    shown = b""
    while b"[y/N]" not in shown:
        shown += os.read(ours, 4096)
    assert b"\x1b[32m  + errors" in shown
    os.write(ours, answer.encode())
    assert process.wait(30) == code
    os.close(ours)
    assert len(stand_in.monitors()) == count


def test_several_findings_are_a_line_each(folder: Path) -> None:
    bad = MONITOR.replace("sum:errors{*}", "sum:errors{*").replace("query alert", "query alrt")
    (folder / "monitors" / "a.yaml").write_text(bad + "      new_group_delay: 1\n      new_host_delay: 1\n")
    ended = run("plan", cwd=folder)
    assert (ended.code, ended.out) == (1, "")
    assert [line.partition(": ")[0] for line in ended.err.splitlines()] == [
        "monitors/a.yaml:4",
        "monitors/a.yaml:5",
        "monitors/a.yaml:10",
        "error",
    ]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("{critical: 5}", "{critical: 5", "error: monitors/a.yaml:"),
        (
            "query:",
            "querry:",
            "error: monitors/a.yaml:5: unknown key 'querry' in the monitor 'errors'; did you",
        ),
        ("{*}", "{*", "error: monitors/a.yaml:5: cannot parse the query: at column"),
        ("${thresholds.critical}", "4", "error: monitors/a.yaml:8: the query compares with 4"),
    ],
)
def test_a_bad_file_is_one_sentence(folder: Path, old: str, new: str, sentence: str) -> None:
    (folder / "monitors" / "a.yaml").write_text(MONITOR.replace(old, new))
    ended = run("apply", "--yes", cwd=folder, env={})
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith(sentence)
    assert ended.err.count("\n") == 1


def test_a_bad_environment_is_one_sentence(folder: Path) -> None:
    no_key = run("plan", cwd=folder, env={"DD_APP_KEY": "x"})
    told = "error: the environment variable DD_API_KEY is not set; export DD_API_KEY=...\n"
    assert no_key == Run(1, "", told)
    url = f"http://127.0.0.1:{free_port()}"
    nobody = run("plan", cwd=folder, host=url)
    assert (nobody.code, nobody.err.count("\n")) == (1, 1)
    assert nobody.err.startswith(f"error: GET {url}/api/v1/monitor: connection refused; check DD_HOST")


def test_an_invalid_monitor_among_others_writes_nothing(folder: Path, stand_in: Management) -> None:
    # Lint passes it, Datadog does not: a time-out is 24 hours at most.
    bad = (
        MONITOR.partition("\n")[2]
        .replace("errors:", "late:")
        .replace("thresholds:", "timeout_h: 99\n      thresholds:")
    )
    (folder / "monitors" / "b.yaml").write_text(f"monitors:\n{bad}")
    ended = run("apply", "--yes", cwd=folder, host=stand_in.url)
    assert ended.code == 1
    assert ended.err.startswith("error: Datadog would refuse monitors/b.yaml:5: monitor 'late': POST")
    assert ended.err.count("\n") == 1
    assert stand_in.monitors() == []


def test_ctrl_c_says_what_was_applied(folder: Path, stand_in: Management) -> None:
    (folder / "monitors" / "b.yaml").write_text(MONITOR.replace("errors:", "late:").replace("Errors", "Late"))
    with proxy(stand_in.url) as between:
        writes = ("POST", "/api/v1/monitor")
        between.faults.append(Fault(method="POST", path="/api/v1/monitor", status=0, hold=True))
        # A validation is such a POST too: let it through.
        between.faults[0:0] = [
            Fault(method="POST", path="/api/v1/monitor/validate", status=200, body=b"{}") for _ in range(2)
        ]
        env = {"PYTHONPATH": str(ROOT), **KEYS, "DD_HOST": between.url}
        args = [sys.executable, "-m", "otel_kit.cli", "apply", "--yes"]
        with start(args, cwd=folder, env=env) as part:
            eventually(lambda: writes in between.requests, timeout=20)
            os.kill(part.pid, signal.SIGINT)
            assert part.wait() == 1
            eventually(lambda: "error: " in part.output(), timeout=2)
            told = part.output().partition("error: ")[2]
    assert told.startswith(
        "monitors/a.yaml:2: stopped by Ctrl-C during the create of monitor 'errors', which may"
    )
    assert "applied before it: nothing; not tried: monitor 'late'; " in told
    assert told.count("\n") == 1


def test_files_are_checked_without_the_client(folder: Path) -> None:
    """Its import would be most of the time that a check takes."""
    script = (
        "import sys; from otel_kit.cli.commands import run; code = run(['plan'])\n"
        "assert code == 1 and 'datadog_api_client' not in sys.modules and 'starlette' not in sys.modules"
    )
    (folder / "monitors" / "a.yaml").write_text("monitors: 5")
    with start([sys.executable, "-c", script], cwd=folder, env={"PYTHONPATH": str(ROOT)}) as part:
        assert part.wait() == 0, part.output()
        eventually(lambda: "must be a mapping" in part.output(), timeout=2)

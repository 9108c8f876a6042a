"""`otel-kit dev` as a person starts, asks and stops it."""

from __future__ import annotations

import http.client
import os
import shlex
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dev.process import Dev, losses, running, series
from tests.parts import ROOT, eventually, free_port, start


@pytest.fixture(scope="module")
def dev() -> Iterator[Dev]:
    with running() as found:
        yield found


COMMAND = (sys.executable, "-m", "otel_kit.cli", "dev")


def fails(*options: str) -> str:
    """The one line that a start which cannot work ends with."""
    done = subprocess.run([*COMMAND, *options], cwd=ROOT, capture_output=True, text=True, timeout=20)
    assert done.returncode == 1, done
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    (line,) = done.stderr.splitlines()
    return line


def test_it_says_where_it_is_and_what_to_set() -> None:
    port = free_port()
    with running(port=port) as dev:
        lines = dev.part.output().splitlines()
        assert lines[0] == f"otel-kit dev: http://127.0.0.1:{port}"
        found = exports(dev)
        assert found["OTEL_EXPORTER_OTLP_ENDPOINT"] == found["DD_HOST"] == dev.url
        assert found["OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"] == "delta"


def exports(dev: Dev) -> dict[str, str]:
    """What it says to set, as a shell takes it."""
    lines = [line.strip() for line in dev.part.output().splitlines() if "export " in line]
    pairs = [pair.partition("=") for line in lines for pair in shlex.split(line.removeprefix("export "))]
    return {key: value for key, _, value in pairs}


WRITER = """
import otel_kit
from opentelemetry import metrics
otel_kit.init()
metrics.get_meter("t").create_counter("orders").add(50)
"""


def test_two_processes_of_one_service_that_set_it_lose_nothing(dev: Dev) -> None:
    env = {**exports(dev), "OTEL_SERVICE_NAME": "twins"}
    with (
        start([sys.executable, "-c", WRITER], env=env) as one,
        start([sys.executable, "-c", WRITER], env=env) as two,
    ):
        assert [one.wait(), two.wait()] == [0, 0], one.output() + two.output()
    found = series(dev, "orders")
    assert [[value for _, value in points] for points in found.values()] == [[50.0], [50.0]]
    assert all("service:twins" in tags for tags in found)
    assert losses(dev) == {}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_a_clean_end(number: signal.Signals, tmp_path: Path) -> None:
    with running("--db", str(tmp_path / "db")) as dev:
        os.kill(dev.part.pid, number)
        assert dev.part.wait(10) == 0
        assert "Traceback" not in dev.part.output()


def test_a_signal_before_it_serves_leaves_nothing(tmp_path: Path) -> None:
    def opened() -> bool:
        return any(tmp_path.glob("*/dev.sqlite"))

    with start([*COMMAND, "--port", "0"], env={"TMPDIR": str(tmp_path)}) as part:
        eventually(opened, every=0.001)
        assert part.terminate(10) == 0
        assert "Traceback" not in part.output()
    assert not any(tmp_path.iterdir())


def test_a_taken_port_is_one_sentence(dev: Dev) -> None:
    port = dev.url.rpartition(":")[2]
    line = fails("--port", port)
    assert f"cannot listen on 127.0.0.1:{port}" in line
    assert "--port" in line


def test_a_database_in_use_is_one_sentence(tmp_path: Path) -> None:
    path = str(tmp_path / "db")
    with running("--db", path):
        assert "another otel-kit dev uses this database" in fails("--port", "0", "--db", path)


def test_what_is_not_a_database_of_ours_is_one_sentence_and_stays_as_it_was(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("not a database at all " * 100)
    assert f"{text}: not a usable SQLite database" in fails("--port", "0", "--db", str(text))
    assert text.read_text() == "not a database at all " * 100
    other = tmp_path / "other"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE theirs (x)")
    connection.commit()
    connection.close()
    before = other.read_bytes()
    assert "was not written by otel-kit dev" in fails("--port", "0", "--db", str(other))
    assert other.read_bytes() == before
    assert "cannot write the database: Is a directory" in fails("--port", "0", "--db", str(tmp_path))
    missing = tmp_path / "no" / "such" / "db"
    assert "cannot write the database: No such file or directory" in fails(
        "--port", "0", "--db", str(missing)
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anything")
def test_a_database_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "db"
    path.touch()
    path.chmod(stat.S_IRUSR)
    assert "cannot write the database: Permission denied" in fails("--port", "0", "--db", str(path))


@pytest.mark.parametrize("text", ["often", "0s", "5", "-1s", "25h", "1 s s"])
def test_a_bad_duration_is_one_sentence(text: str) -> None:
    line = fails("--port", "0", f"--evaluate-every={text}")
    assert f"--evaluate-every: {text!r} is not a duration between 100ms and 24h" in line


def test_only_this_machines_own_requests_are_answered(dev: Dev) -> None:
    port = int(dev.url.rpartition(":")[2])

    def status(path: str, **headers: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", path, headers=headers)
        found = connection.getresponse().status
        connection.close()
        return found

    for path in ("/", "/dev/api/traces", "/dev/health"):
        assert status(path) == 200
        assert status(path, Host=f"localhost:{port}") == 200
        assert status(path, Host=f"[::1]:{port}") == 200
        assert status(path, Host=f"attacker.example:{port}") == 403
        assert status(path, Host=f"127.0.0.1.attacker.example:{port}") == 403
        assert status(path, Host="[::1") == 403
        assert status(path, Origin=f"http://127.0.0.1:{port}") == 200
        assert status(path, Origin="http://127.0.0.1:1") == 403
        assert status(path, Origin="https://attacker.example") == 403
        assert status(path, Origin="null") == 403


def test_the_page_comes_from_the_package_and_may_load_nothing_else(dev: Dev) -> None:
    status, page, headers = dev.ask("GET", "/")
    assert status == 200
    assert headers["content-security-policy"].startswith("default-src 'self'")
    assert headers["x-content-type-options"] == "nosniff"
    assert b"http://" not in page
    assert b"https://" not in page
    for name, kind in (("app.js", "javascript"), ("style.css", "text/css")):
        assert f"/page/{name}".encode() in page
        status, _, headers = dev.ask("GET", f"/page/{name}")
        assert (status, kind in headers["content-type"]) == (200, True)
    assert dev.ask("GET", "/page/../server.py")[0] == 404
    assert dev.ask("GET", "/page/%2e%2e/server.py")[0] == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/dev/api/traces/unknown", 404),
        ("/dev/api/traces?limit=x", 400),
        ("/dev/api/traces?limit=0", 400),
        ("/dev/api/logs?limit=99999999", 400),
        ("/dev/api/series", 400),
        ("/dev/api/series?metric=x&since=y", 400),
        ("/dev/api/notifications?monitor_id=x", 400),
        ("/dev/api/unknown", 404),
        ("/dev/api/logs?foo=1", 400),
        ("/dev/api/services?service=a", 400),
        ("/dev/api/traces?error=yes", 400),
        ("/dev/api/traces?limit=%C2%B2", 400),
        ("/dev/api/notifications?monitor_id=" + "9" * 5000, 400),
        ("/api/v1/monitor/" + "9" * 40, 404),
        ("/api/v1/monitor/can_delete?monitor_ids=1,x", 400),
        ("/api/v1/monitor?id_offset=%D9%A3", 400),
        ("/api/v1/query?query=avg:a{*}.rollup(avg,1)&from=0&to=31536000", 400),
        ("/api/v1/query?query=avg:a{*}&from=0&to=" + "9" * 30, 400),
    ],
)
def test_wrong_questions(dev: Dev, path: str, status: int) -> None:
    assert dev.ask("GET", path)[0] == status

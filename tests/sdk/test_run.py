"""`otel-kit run`: real programs that do not know of the library, and stay themselves."""

from __future__ import annotations

import contextlib
import json
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts import Part, eventually, free_port, http_ready, start
from tests.sdk.run import ready
from tests.sdk.sink import Sink, running_sink
from tests.system import OTEL_KIT

APP = "tests.sdk.apps.plain"


@pytest.fixture
def sink() -> Iterator[Sink]:
    with running_sink() as running:
        yield running


@contextlib.contextmanager
def running(sink: Sink, *command: str | Path, options: tuple[str, ...] = (), **env: str) -> Iterator[Part]:
    """A command beneath ``otel-kit run``."""
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": sink.url, "OTEL_SERVICE_NAME": "plain", **env}
    with start([*OTEL_KIT, "run", *options, "--", *command], env=settings) as part:
        yield part


def names(sink: Sink) -> list[str]:
    """Of all spans."""
    return sorted(span.name for span in sink.seen.spans)


@pytest.mark.parametrize(
    ("mode", "code", "expected"),
    [
        ("exit", 7, ["main"]),
        ("crash", 1, ["main"]),
        ("fork", 0, ["child", "main"]),
        ("spawn", 0, ["child", "main"]),
    ],
)
def test_a_module(mode: str, code: int, expected: list[str], sink: Sink) -> None:
    with running(sink, sys.executable, "-m", APP, mode) as part:
        assert part.wait() == code, part.output()
    assert names(sink) == expected
    instances = {span.resource["service.instance.id"] for span in sink.seen.spans}
    assert len(instances) == len(expected)
    assert {span.resource["service.name"] for span in sink.seen.spans} == {"plain"}


@pytest.mark.parametrize(("mode", "code"), [("wait", -15), ("handler", 9)])
def test_signals_are_its_own(mode: str, code: int, sink: Sink) -> None:
    with running(sink, sys.executable, "-m", APP, mode) as part:
        ready(part)
        assert part.terminate() == code, part.output()
    assert names(sink) == ["main"]


@pytest.mark.parametrize(
    "server",
    [
        ("uvicorn", f"{APP}:app"),
        ("uvicorn", f"{APP}:app", "--workers", "2"),
        ("gunicorn", f"{APP}:app", "-k", "uvicorn_worker.UvicornWorker", "--preload", "--no-control-socket"),
    ],
    ids=["uvicorn", "uvicorn-workers", "gunicorn"],
)
def test_servers(server: tuple[str, ...], sink: Sink) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    program = Path(sys.executable).with_name(server[0])
    bind = ("-b", f"127.0.0.1:{port}") if server[0] == "gunicorn" else ("--port", str(port))
    with running(sink, program, *server[1:], *bind) as part:
        eventually(http_ready(f"{url}/healthz"), every=0.05, what=part.output())
        for number in range(3):
            urllib.request.urlopen(f"{url}/orders/{number}").read()
        part.terminate()
    assert names(sink) == ["GET /orders/{number}"] * 3
    assert sorted(body for body in sink.seen.bodies() if str(body).startswith("order ")) == [
        "order 0",
        "order 1",
        "order 2",
    ]


def test_what_the_code_says_wins_over_the_environment(sink: Sink) -> None:
    """Though everything was set up by the environment before."""
    code = f"""
import json, logging, otel_kit
from opentelemetry import metrics, trace
tracer, counter = trace.get_tracer("t"), metrics.get_meter("t").create_counter("made.before")
tracer.start_span("before").end()
telemetry = otel_kit.init(
    service="code", version="7", endpoint={sink.url!r}, headers={{"x-code": "1"}}, shutdown_timeout=20,
    metric_interval=60, log_level="DEBUG", sampling="name:dropped@0", resource_attributes={{"team": "a"}},
    metrics=False, instrument=False, health_routes=["/up"],
)
counter.add(1)
for name in ("kept", "dropped"):
    with tracer.start_as_current_span(name):
        logging.getLogger("shop").debug("in %s", name)
sources = {{o.setting: o.source for o in telemetry.settings}}
assert (telemetry.service, telemetry.env, telemetry.version) == ("code", "dev", "7")
assert sources["service.name"] == sources["endpoint"] == sources["sampling"] == "argument"
assert sources["deployment.environment.name"] == "DD_ENV"
assert otel_kit.init(service="code").version == otel_kit.init(service="third").version == "7"
"""
    nowhere = "http://127.0.0.1:9"
    with running(sink, sys.executable, "-c", code, OTEL_EXPORTER_OTLP_ENDPOINT=nowhere, DD_ENV="dev") as part:
        assert part.wait() == 0, part.output()
        out = part.output()
    assert names(sink) == ["before", "kept"]
    assert {span.resource["service.name"] for span in sink.seen.spans if span.name == "kept"} == {"code"}
    assert {span.resource["team"] for span in sink.seen.spans if span.name == "kept"} == {"a"}
    assert {"in kept", "in dropped"} <= set(sink.seen.bodies())
    assert not sink.seen.points
    assert all(request["x-code"] == "1" for request in sink.seen.headers)
    (line,) = [json.loads(line) for line in out.splitlines() if '"in kept"' in line]
    assert (line["service"], line["version"]) == ("code", "7")
    assert out.count("init(health_routes=..., instrument=...) comes too late: it was called before by") == 1
    assert out.count("; use OTEL_KIT_HEALTH_ROUTES, OTEL_KIT_INSTRUMENT instead") == 1
    assert out.count("init(service=...) comes too late: it was called before, and") == 1


def test_a_sitecustomize_of_the_user_still_runs(sink: Sink, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import builtins; builtins.mine = __file__")
    code = "import sitecustomize; assert sitecustomize.__file__ == mine; print(mine)"
    with running(sink, sys.executable, "-c", code, PYTHONPATH=str(tmp_path)) as part:
        assert part.wait() == 0, part.output()
        assert str(tmp_path) in part.output()


def test_a_broken_sitecustomize_of_the_user_costs_no_telemetry(sink: Sink, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("raise RuntimeError('broken')")
    with running(sink, sys.executable, "-m", APP, "exit", PYTHONPATH=str(tmp_path)) as part:
        assert part.wait() == 7
        assert "RuntimeError: broken" in part.output()
    assert names(sink) == ["main"]


def test_a_python_without_the_library(sink: Sink, tmp_path: Path) -> None:
    """Of the program it is an error, in a child of it no reason to fail."""
    bare = tmp_path / "bare"
    __import__("venv").create(bare, with_pip=False)
    python = bare / "bin" / "python"
    with running(sink, python, "-c", "print('began')") as part:
        assert part.wait() == 1
        assert f"{python} -m pip install /path/to/otel-kit" in part.output()
        assert "began" not in part.output()
    child = f"import subprocess; subprocess.run([{str(python)!r}, '-c', 'print(41 + 1)'], check=True)"
    with running(sink, sys.executable, "-c", child) as part:
        assert part.wait() == 0, part.output()
        assert part.output().splitlines()[0] == "42"
        assert "cannot import" not in part.output()


def test_the_start_as_json(sink: Sink) -> None:
    with running(sink, sys.executable, "-m", APP, "exit", options=("--json",)) as part:
        assert part.wait() == 7
        line = json.loads(part.output().splitlines()[0])
    assert line["command"] == [sys.executable, "-m", APP, "exit"]
    assert line["endpoints"]["traces"] == f"{sink.url}/v1/traces"
    service = {"setting": "service.name", "value": "plain", "source": "OTEL_SERVICE_NAME"}
    assert service in line["settings"]


def test_the_start_as_json_without_secrets(sink: Sink) -> None:
    secrets = ["--password=hunter2", "--api-key", "hunter3", "postgres://me:hunter4@db/x"]
    with running(sink, "/bin/true", *secrets, options=("--json",)) as part:
        assert part.wait() == 0
        line = part.output().splitlines()[0]
    assert "hunter" not in line
    assert json.loads(line)["command"][:1] == ["/bin/true"]


@pytest.mark.parametrize("option", ["-E", "-I", "-uS", "-W"])
def test_a_python_that_would_begin_without_it_is_told(option: str, sink: Sink, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(f"#!{sys.executable} {option}{'error' * (option == '-W')}\nprint('began')\n")
    script.chmod(0o755)
    value = ["ignore"] if option == "-W" else []
    for command in ([script], [sys.executable, option, *value, "-c", "print('began')", "-E"]):
        with running(sink, *command) as part:
            assert part.wait() == 0, part.output()
            out = part.output()
        told = f"{command[0]} begins without telemetry, since its option -{option[-1]} has Python" in out
        assert told == (option != "-W")
        assert out.splitlines()[told] == "began"


def test_what_cannot_be_run(sink: Sink, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("")
    for command, code in (("nowhere-to-be-found", 127), ("./nowhere", 127), (str(script), 126), ("/", 126)):
        with running(sink, command) as part:
            assert part.wait() == code
            assert f"'{command}' is not found or cannot be executed; give its path" in part.output()
    script.chmod(0o755)
    script.write_text("#!/nowhere/python\n")
    with running(sink, script) as part:
        assert part.wait() == 126
        assert "cannot be executed: No such file or directory" in part.output()


def test_an_option_that_it_does_not_have(sink: Sink) -> None:
    with running(sink, "ls", options=("--bogus",)) as part:
        assert part.wait() == 1
        assert "No such option '--bogus'" in part.output()
    with start([*OTEL_KIT, "run", sys.executable, "-c", "print('its own')"]) as part:
        assert part.wait() == 0
        assert "its own" in part.output()

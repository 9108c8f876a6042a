"""The wheel, installed into an empty environment."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.environments import build_wheel, make_environment, run
from tests.parts import ROOT, free_port, http_ready, start

#: Extra of a service -> what it imports.
LIBRARIES = {
    "fastapi": "fastapi",
    "grpc": "grpc.aio",
    "httpx": "httpx",
    "requests": "requests",
    "aiohttp": "aiohttp",
    "urllib3": "urllib3",
    "redis": "redis",
    "asyncpg": "asyncpg",
    "psycopg": "psycopg",
    "sqlalchemy": "sqlalchemy",
}
#: Sees to it that a library is instrumented: fails, or ends with a warning, where a package is missing.
INSTRUMENTED = """
import importlib, sys, otel_kit
from otel_kit.sdk.clients import report
otel_kit.init(service="x", traces=False, metrics=False, logs="none")
library, module = sys.argv[1:]
importlib.import_module(module)
states = {client.library: client.state for client in report()}
assert states.get(library, "on") == "on", states
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.mark.timeout(300)
def test_the_library_alone_gives_init(wheel: Path, tmp_path: Path) -> None:
    python = make_environment(tmp_path, str(wheel))
    code = "import otel_kit; otel_kit.init(service='x', traces=False, metrics=False, logs=None); print('ok')"
    assert "ok" in run(python, "-c", code).splitlines()
    explained = subprocess.run(
        [python.parent / "otel-kit"], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert explained.returncode == 1
    assert explained.stderr.strip().endswith(
        "pip install click datadog-api-client pyyaml (the extra [cli] of otel-kit)"
    )
    assert "Traceback" not in explained.stderr


@pytest.mark.timeout(300)
def test_the_extra_cli_gives_the_command(wheel: Path, tmp_path: Path) -> None:
    python = make_environment(tmp_path, f"{wheel}[cli]")
    assert "plan" in run(python.parent / "otel-kit", "--help")
    assert run(python.parent / "otel-kit", "--version").startswith("otel-kit ")
    told = run(
        python.parent / "otel-kit",
        "run",
        "--",
        python,
        "-c",
        "import otel_kit.sdk.setup as s; print(s.current())",
    )
    assert "enabled=True" in told
    examined = subprocess.run(
        [python.parent / "otel-kit", "doctor", "--json"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert {finding["check"] for finding in json.loads(examined.stdout)["findings"]} >= {"service", "dns"}
    explained = subprocess.run(
        [python.parent / "otel-kit", "dev"], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert explained.returncode == 1
    assert explained.stderr.strip().endswith(
        "pip install googleapis-common-protos starlette uvicorn zstandard (the extra [dev] of otel-kit)"
    )
    assert "Traceback" not in explained.stderr


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("extra", LIBRARIES)
def test_each_extra_of_a_service_is_enough_for_its_library(wheel: Path, tmp_path: Path, extra: str) -> None:
    # psycopg comes without the library of PostgreSQL, which is the service's choice.
    brought = ["psycopg[binary]"] if extra == "psycopg" else []
    python = make_environment(tmp_path, f"{wheel}[{extra}]", *brought)
    run(python, "-c", INSTRUMENTED, extra, LIBRARIES[extra])


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("extra", ["cli", "dev", "dev,cli", "all"])
def test_each_extra_of_the_command_is_enough_for_its_commands(
    wheel: Path, tmp_path: Path, extra: str
) -> None:
    command = make_environment(tmp_path, f"{wheel}[{extra}]").parent / "otel-kit"
    for words in ("plan", "apply", "collector", "collector render", "dev", "doctor", "run"):
        assert "Usage: " in run(command, *words.split(), "--help")
    rendered = tmp_path / "rendered"
    spec = ("--spec-dir", ROOT / "collector", "--out", rendered)
    run(command, "collector", "render", "--env", "prod", *spec)
    assert list(rendered.rglob("*.yaml"))
    if extra == "cli":
        return
    url = f"http://127.0.0.1:{(port := free_port())}"
    with start([str(command), "dev", "--port", str(port)], ready=http_ready(f"{url}/dev/health")):
        keys = {"DD_HOST": url, "DD_API_KEY": "local", "DD_APP_KEY": "local"}
        planned = subprocess.run(
            [command, "plan"], env=keys, cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert planned.returncode == 2, planned.stderr


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_there_is_no_extra_that_is_not_tried(wheel: Path, tmp_path: Path) -> None:
    python = make_environment(tmp_path, str(wheel))
    code = "import importlib.metadata as m; print(*m.metadata('otel-kit').get_all('Provides-Extra'))"
    assert set(run(python, "-c", code).split()) == {*LIBRARIES, "clients", "cli", "dev", "all"}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_all_extras_fit_together_for_the_pip_that_python_brings(wheel: Path, tmp_path: Path) -> None:
    """An old one gives up where the releases of OpenTelemetry are uneven and too many packages pin them."""
    run(sys.executable, "-m", "venv", str(tmp_path / "venv"))
    pip: list[str | Path] = [tmp_path / "venv" / "bin" / "python", "-m", "pip", "--disable-pip-version-check"]
    found = run(*pip, "install", "--dry-run", f"{wheel}[all]")
    assert "opentelemetry-instrumentation-sqlalchemy-" in found.splitlines()[-1]

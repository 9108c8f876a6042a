"""The wheel, installed into an empty environment."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.environments import build_wheel, make_environment, run


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
    assert explained.stderr.strip().endswith("install it with: pip install 'otel-kit[cli]'")
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
    assert "pip install 'otel-kit[dev]'" in explained.stderr
    assert "Traceback" not in explained.stderr


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_all_extras_fit_together_for_the_pip_that_python_brings(wheel: Path, tmp_path: Path) -> None:
    """An old one gives up where the releases of OpenTelemetry are uneven and too many packages pin them."""
    run(sys.executable, "-m", "venv", str(tmp_path / "venv"))
    pip: list[str | Path] = [tmp_path / "venv" / "bin" / "python", "-m", "pip", "--disable-pip-version-check"]
    found = run(*pip, "install", "--dry-run", f"{wheel}[all]")
    assert "opentelemetry-instrumentation-sqlalchemy-" in found.splitlines()[-1]

"""The wheel, installed into an empty environment."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.parts import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(out), str(ROOT))
    return next(out.glob("*.whl"))


@pytest.mark.timeout(300)
def test_the_library_alone_gives_init(wheel: Path, tmp_path: Path) -> None:
    python = _environment(tmp_path, str(wheel))
    code = "import otel_kit; otel_kit.init(service='x', traces=False, metrics=False, logs=None); print('ok')"
    assert "ok" in _run(python, "-c", code).splitlines()
    explained = subprocess.run(
        [python.parent / "otel-kit"], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert explained.returncode == 1
    assert explained.stderr.strip().endswith("install it with: pip install 'otel-kit[cli]'")
    assert "Traceback" not in explained.stderr


@pytest.mark.timeout(300)
def test_the_extra_cli_gives_the_command(wheel: Path, tmp_path: Path) -> None:
    python = _environment(tmp_path, f"{wheel}[cli]")
    assert "plan" in _run(python.parent / "otel-kit", "--help")
    assert _run(python.parent / "otel-kit", "--version").startswith("otel-kit ")
    told = _run(
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
    _run(sys.executable, "-m", "venv", str(tmp_path / "venv"))
    pip: list[str | Path] = [tmp_path / "venv" / "bin" / "python", "-m", "pip", "--disable-pip-version-check"]
    found = _run(*pip, "install", "--dry-run", f"{wheel}[all]")
    assert "opentelemetry-instrumentation-sqlalchemy-" in found.splitlines()[-1]


def _environment(folder: Path, requirement: str) -> Path:
    """An empty virtual environment with `requirement` in it; its interpreter."""
    _run(sys.executable, "-m", "venv", "--without-pip", str(folder / "venv"))
    python = folder / "venv" / "bin" / "python"
    uv = Path(sys.executable).parent / "uv"
    _run(uv, "pip", "install", "--quiet", "--python", str(python), requirement)
    return python


def _run(*args: str | Path) -> str:
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True, cwd="/", check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout

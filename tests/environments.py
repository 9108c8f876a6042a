"""Virtual environments of the tests' own, with the wheel of this repository in them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.parts import ROOT

__all__ = ["build_wheel", "make_environment", "run"]


def build_wheel(folder: Path) -> Path:
    """The wheel, built into `folder`."""
    run(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(folder), str(ROOT))
    return next(folder.glob("*.whl"))


def make_environment(folder: Path, *requirements: str) -> Path:
    """An empty virtual environment with `requirements` in it; its interpreter."""
    run(sys.executable, "-m", "venv", "--without-pip", str(folder / "venv"))
    python = folder / "venv" / "bin" / "python"
    uv = Path(sys.executable).parent / "uv"
    run(uv, "pip", "install", "--quiet", "--python", str(python), *requirements)
    return python


def run(*args: str | Path) -> str:
    """What a command prints; it must succeed."""
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True, cwd="/", check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout

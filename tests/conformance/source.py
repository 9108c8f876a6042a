"""Gets the source distribution of an installed package, and the libraries that only its tests need."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

__all__ = ["BUILD", "libraries", "source"]

ROOT: Final = Path(__file__).parents[2]
BUILD: Final = ROOT / "build" / "conformance"
#: Its releases pin those of the API and the SDK, so it stays out of our environment and has no dependencies.
ALWAYS: Final = ("opentelemetry-test-utils",)


def source(distribution: str) -> Path:
    """The folder with the source of `distribution` in the version that is installed here."""
    release = version(distribution)
    folder = BUILD / f"{distribution.replace('-', '_')}-{release}"
    if not folder.is_dir():
        BUILD.mkdir(parents=True, exist_ok=True)
        options = ["--no-deps", "--no-binary", distribution, "--no-build-isolation", "--dest", str(BUILD)]
        _pip("download", *options, f"{distribution}=={release}")
        with tarfile.open(f"{folder}.tar.gz") as archive:
            archive.extractall(BUILD, filter="data")
    return folder


def libraries(names: Sequence[str]) -> Path:
    """A folder for PYTHONPATH with these distributions, without what they depend on."""
    folder = BUILD / "libraries"
    for name in (*ALWAYS, *names):
        if not any(folder.glob(f"{name.replace('-', '_')}-*.dist-info")):
            _pip("install", "--no-deps", "--target", str(folder), name)
    return folder


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", *arguments, "--quiet", "--disable-pip-version-check"]
    subprocess.run(command, check=True)

"""Makes the virtual environments of the peers under build/bench, by uv, once for each list of packages."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from benchmarks.peers import ROOT, STACK, Peer

__all__ = ["make", "python", "versions"]

_FOLDER: Final = ROOT / "build" / "bench"


def python(peer: Peer) -> Path:
    """The interpreter of a peer."""
    return _FOLDER / peer.venv / "bin" / "python"


def make(peers: Iterable[Peer]) -> None:
    """Create what is missing, or was made from another list of packages.

    Raises:
        subprocess.CalledProcessError: uv could not install something; it has printed why.
    """
    for peer in peers:
        own = (ROOT / "pyproject.toml").read_text() if "-e" in peer.packages else ""
        wanted = json.dumps([sys.version, own, *STACK, *peer.packages])
        stamp = _FOLDER / peer.venv / ".ready"
        if stamp.exists() and stamp.read_text() == wanted:
            continue
        _uv("venv", "--quiet", "--clear", "--python", sys.executable, str(_FOLDER / peer.venv))
        _uv("pip", "install", "--quiet", "--compile-bytecode", *_target(peer), *STACK, *peer.packages)
        stamp.write_text(wanted)


def versions(peer: Peer) -> dict[str, str]:
    """The packages of a peer's environment and their versions."""
    listed = json.loads(_uv("pip", "list", "--quiet", "--format", "json", *_target(peer)))
    return {package["name"]: package["version"] for package in listed}


def _target(peer: Peer) -> tuple[str, str]:
    return "--python", str(python(peer))


def _uv(*arguments: str) -> str:
    uv = Path(sys.executable).parent / "uv"
    return subprocess.run([uv, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout

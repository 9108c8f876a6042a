"""Write rendered files: all or nothing, and without leftovers of an earlier run."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from otel_kit.collector.render import MARK
from otel_kit.errors import InputError

__all__ = ["differences", "write"]


def write(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Write `files` (relative name -> text) into `folder`, and remove what an earlier run left there.

    Nothing is touched before all of it is on disk. Returns the files whose text changed.

    Raises:
        InputError: the folder cannot be written.
    """
    changed = [folder / name for name, text in files.items() if _text(folder / name) != text]
    try:
        with contextlib.ExitStack() as undo:
            ready = [(_beside(path, files[_name(folder, path)], undo), path) for path in changed]
            for temporary, path in ready:
                os.replace(temporary, path)  # noqa: PTH105 (as the rule of the house says it)
        for stale in _leftovers(folder, files):
            stale.unlink()
    except OSError as error:
        raise InputError(
            f"cannot be written: {error.strerror}", where=str(error.filename or folder)
        ) from error
    return changed


def differences(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Names that `write` would change or remove."""
    changed = [name for name, text in files.items() if _text(folder / name) != text]
    return sorted([*changed, *(_name(folder, stale) for stale in _leftovers(folder, files))])


def _name(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _beside(path: Path, text: str, undo: contextlib.ExitStack) -> str:
    """A temporary file in the same folder, which goes away unless it is renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    undo.callback(_remove, name)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    Path(name).chmod(0o644)
    return name


def _remove(name: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        Path(name).unlink()


def _leftovers(folder: Path, files: Mapping[str, str]) -> Iterator[Path]:
    """Files that we once wrote here and that are no longer rendered; no others."""
    for path in sorted(folder.glob("*/*.yaml")):
        if _name(folder, path) not in files and (_text(path) or "").startswith(MARK):
            yield path

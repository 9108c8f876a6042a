"""Write rendered files: all or nothing, and without leftovers of an earlier run."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from otel_kit.collector.names import RENDERED
from otel_kit.collector.render import MARK
from otel_kit.errors import InputError

__all__ = ["Written", "differences", "write"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a run did to its folder: files whose text is another now, and files that are gone."""

    changed: tuple[Path, ...]
    removed: tuple[Path, ...]


def write(folder: Path, files: Mapping[str, str]) -> Written:
    """Write `files` (relative name -> text) into `folder`, and remove what an earlier run left there.

    Nothing is touched before all of it is on disk.

    Raises:
        InputError: the folder cannot be written.
    """
    changed = [folder / name for name, text in files.items() if _text(folder / name) != text]
    removed = list(_leftovers(folder, files))
    with contextlib.ExitStack() as undo:
        ready = []
        for path in changed:
            with _failing_at(path):
                ready.append((_beside(path, files[_name(folder, path)], undo), path))
        for temporary, path in ready:
            with _failing_at(path):
                os.replace(temporary, path)  # noqa: PTH105 (as the rule of the house says it)
    for stale in removed:
        with _failing_at(stale):
            stale.unlink()
    return Written(changed=tuple(changed), removed=tuple(removed))


@contextlib.contextmanager
def _failing_at(path: Path) -> Iterator[None]:
    """An error names the file that was to be written, not a temporary one."""
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", where=str(path)) from error


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
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "a folder stands in its place")
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
    """Files that we once wrote here and no longer render: known by their names, and by how they begin."""
    for name in sorted(RENDERED - files.keys()):
        if (_text(folder / name) or "").startswith(MARK):
            yield folder / name

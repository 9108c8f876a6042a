"""Read ``monitors/``, ``dashboards/`` and ``services.yaml``: errors with file and line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from otel_kit.datadog.load.dashboards import dashboard_of
from otel_kit.datadog.load.monitors import monitors_of
from otel_kit.datadog.load.services import Service, load_services
from otel_kit.datadog.model import Definition, Kind
from otel_kit.errors import InputError
from otel_kit.yaml_tree import load_yaml

__all__ = ["Loaded", "load_definitions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """All definitions, monitors first, in the order of the files; and remarks for a reader."""

    definitions: tuple[Definition, ...]
    notes: tuple[str, ...] = ()


def load_definitions(*, monitors: Path, dashboards: Path, services: Path | None = None) -> Loaded:
    """Read both folders (``*.yaml`` and ``*.yml`` in them, not below).

    Args:
        monitors: folder of monitors files, one a topic.
        dashboards: folder of dashboard files, one a dashboard.
        services: the list that `for_each` reads; None means the one beside `monitors`, if it is there.

    Raises:
        InputError: with file and line.
    """
    known = _services(monitors, services)
    notes: list[str] = []
    found: list[Definition] = []
    for path in _files(monitors, "--monitors"):
        found.extend(monitors_of(load_yaml(path), known, notes))
    for path in _files(dashboards, "--dashboards"):
        found.append(dashboard_of(load_yaml(path), known, notes))
    _refuse_duplicates(found)
    return Loaded(definitions=tuple(found), notes=tuple(notes))


def _services(monitors: Path, named: Path | None) -> tuple[Service, ...] | None:
    path = named or monitors.parent / "services.yaml"
    return load_services(path) if named or path.exists() else None


def _files(folder: Path, option: str) -> Iterator[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        fix = f"name the folder with {option}"
        raise InputError(f"cannot be read: {error.strerror}", where=str(folder), fix=fix) from error
    for path in entries:
        if path.suffix in {".yaml", ".yml"}:
            if not path.is_file():
                what = "is a link to nothing" if path.is_symlink() else "is not a file"
                raise InputError(what, where=str(path), fix="remove or rename it")
            yield path


def _refuse_duplicates(definitions: Iterable[Definition]) -> None:
    seen: dict[tuple[Kind, str], Definition] = {}
    for definition in definitions:
        first = seen.setdefault((definition.kind, definition.id), definition)
        if first is not definition:
            what = f"the {definition.kind} id '{definition.id}' is already used at {first.where()}"
            raise InputError(what, where=definition.where(), fix="give one of them another id")

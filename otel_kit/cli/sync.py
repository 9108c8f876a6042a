"""``otel-kit plan`` and ``otel-kit apply``: monitors and dashboards of the repository into Datadog."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from otel_kit.cli import output
from otel_kit.datadog.apply import Applied, apply_plan, plan_against
from otel_kit.datadog.lint import lint
from otel_kit.datadog.load import load_definitions
from otel_kit.datadog.model import Definition
from otel_kit.datadog.report import Tone, applied_line, plan_lines
from otel_kit.errors import InputError

if TYPE_CHECKING:
    from otel_kit.datadog.api import Datadog

__all__ = ["apply", "plan"]

_Command = TypeVar("_Command", bound=Callable[..., Any])
_TONES: dict[Tone, dict[str, Any]] = {
    "create": {"fg": "green"},
    "update": {"fg": "yellow"},
    "remove": {"fg": "red"},
    "faint": {"dim": True},
    "title": {"bold": True},
}


def _places(command: _Command) -> _Command:
    folder = click.Path(path_type=Path)
    options = (
        click.option("--monitors", type=folder, default=Path("monitors"), help="Folder of monitors files."),
        click.option("--dashboards", type=folder, default=Path("dashboards"), help="Folder of dashboards."),
        click.option("--services", type=folder, help="What for_each reads; beside --monitors by default."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@_places
def plan(monitors: Path, dashboards: Path, services: Path | None) -> int:
    """Show what apply would change in Datadog; changes nothing.

    Exit codes: 0 no changes, 1 error, 2 there are changes. Objects of ours that are not in these folders are
    listed, but are no changes: nothing deletes them.

    Reads DD_API_KEY, DD_APP_KEY and DD_SITE; DD_HOST (a URL) points it at a stand-in.
    """
    definitions = _definitions(monitors, dashboards, services)
    with _datadog() as api:
        found = plan_against(definitions, api)
    for line in plan_lines(found, _paint):
        output.echo(line)
    return 2 if found.actions else 0


@click.command()
@_places
@click.option("--yes", is_flag=True, help="Do not ask.")
def apply(monitors: Path, dashboards: Path, services: Path | None, yes: bool) -> int:
    """Make Datadog as the files want it: show the plan, ask, write.

    Every changed monitor is validated by Datadog before the first write. Nothing is deleted.
    """
    if not yes and not output.is_terminal():
        raise InputError("apply asks before it writes, and nobody is there to answer", fix="add --yes")
    definitions = _definitions(monitors, dashboards, services)
    with _datadog() as api:
        found = plan_against(definitions, api)
        for line in plan_lines(found, _paint):
            output.echo(line)
        if not found.actions:
            return 0
        if not yes and not output.confirm("Write this to Datadog?"):
            raise click.Abort
        apply_plan(found, api, _report)
    create, update = found.count("create"), found.count("update")
    output.echo(f"Applied: {create} created, {update} updated.")
    return 0


def _definitions(monitors: Path, dashboards: Path, services: Path | None) -> Sequence[Definition]:
    with _no_collection():
        loaded = load_definitions(monitors=monitors, dashboards=dashboards, services=services)
        findings = lint(loaded.definitions)
    for note in loaded.notes:
        output.progress(f"note: {note}")
    if not findings:
        return loaded.definitions
    if len(findings) == 1:
        raise InputError(findings[0].text, where=findings[0].where)
    for finding in findings:
        output.progress(f"{finding.where}: {finding.text}")
    raise InputError(f"{len(findings)} findings in {monitors} and {dashboards}", fix="nothing was sent")


@contextmanager
def _no_collection() -> Iterator[None]:
    # Reading makes many small values, no cycles, and all of it stays; looking for cycles would take as long.
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def _datadog() -> Iterator[Datadog]:
    # The client is the slowest import of the command line; files are checked without it.
    from otel_kit.datadog.api import Datadog

    api = Datadog(os.environ, told=output.progress)
    try:
        yield api
    finally:
        api.close()


def _paint(text: str, tone: Tone) -> str:
    return click.style(text, **_TONES[tone])


def _report(applied: Applied) -> None:
    output.echo(applied_line(applied.action, applied.live, _paint))

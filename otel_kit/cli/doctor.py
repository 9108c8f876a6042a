"""`otel-kit doctor`: what is set, by whom, and whether it reaches the collector."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Final, NoReturn

import click

from otel_kit.conventions import SERVICE_INSTANCE_ID, SERVICE_NAME
from otel_kit.sdk.config.environment import DEFAULT

if TYPE_CHECKING:
    from otel_kit.sdk.doctor import Diagnosis

__all__ = ["doctor"]

#: What everybody has to set, so its default tells something.
_ALWAYS: Final = (SERVICE_NAME, "endpoint")
_COLOURS: Final = {"ok": "green", "warning": "yellow", "error": "red"}


@click.command()
@click.argument("module", required=False)
@click.option("--all", "with_all", is_flag=True, help="Show settings that have their default, too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text, with all settings.")
def doctor(module: str | None, *, with_all: bool, as_json: bool) -> int:
    """Try the telemetry of a service from where it runs, and explain what is wrong.

    Run it with the environment of the service, best in its pod. It shows what is set and by whom, looks
    for what is commonly wrong, and sends one span, one metric point and one log record. With MODULE (shop.bff
    or shop.bff:app) that is imported first, so that what init() is told in the code counts.

    Exit code 1 where something is wrong; warnings do not count.
    """
    from otel_kit.sdk.doctor import examine

    result = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what the service prints is not our result
    diagnosis = examine(module)
    with result:
        text = json.dumps(_plain(diagnosis), indent=2) if as_json else _text(diagnosis, with_all=with_all)
        click.echo(text, file=result)
    code = 0 if diagnosis.ok else 1
    if module is not None:
        sys.stdout.flush()
        _end_at_once(code)
    return code


def _end_at_once(code: int) -> NoReturn:
    """Threads and child processes that the service has started by its import need not come to an end."""
    from multiprocessing import active_children

    for child in active_children():
        child.terminate()
    os._exit(code)


def _plain(diagnosis: Diagnosis) -> dict[str, object]:
    return {
        "ok": diagnosis.ok,
        "findings": [asdict(finding) for finding in diagnosis.findings],
        "settings": [asdict(origin) for origin in diagnosis.settings],
        "versions": diagnosis.versions,
    }


def _text(diagnosis: Diagnosis, *, with_all: bool) -> str:
    lines = ["settings", *_settings(diagnosis, with_all=with_all)]
    lines += [
        "",
        "versions",
        "  " + ", ".join(f"{k} {v}" for k, v in diagnosis.versions.items()),
        "",
        "checks",
    ]
    for finding in diagnosis.findings:
        label = click.style(f"{finding.status:<7}", fg=_COLOURS[finding.status])
        lines.append(f"  {label}  {finding.check}: {finding.what}")
        if finding.fix:
            lines.append(f"           -> {finding.fix}")
    counts = [sum(f.status == status for f in diagnosis.findings) for status in ("error", "warning")]
    lines += ["", f"{counts[0]} wrong, {counts[1]} doubtful"]
    return "\n".join(lines)


def _settings(diagnosis: Diagnosis, *, with_all: bool) -> Iterator[str]:
    filled = [origin for origin in diagnosis.settings if origin.value]
    kept = [o for o in filled if with_all or o.source != DEFAULT or o.setting in _ALWAYS]
    width = max(len(o.setting) for o in kept)
    value = min(48, max(len(o.value) for o in kept))
    for o in kept:
        more = ", and each process adds its own" if o.setting == SERVICE_INSTANCE_ID else ""
        yield f"  {o.setting:<{width}}  {o.value:<{value}}  {o.source}{more}"
    if len(kept) < len(filled):
        yield f"  {len(filled) - len(kept)} more have their default; --all shows them"

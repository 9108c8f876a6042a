"""Write ``docs/reference.md`` from the code: every command's help, and `otel_kit.init` with its arguments.

Run it with ``python -m docs.generate``; with ``--check`` it only says whether the page is up to date.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import click

import otel_kit
from otel_kit.cli.commands import cli

PAGE = Path(__file__).with_name("reference.md")
HEAD = """\
<!-- Written by `python -m docs.generate`; do not edit. -->
# Reference

"""


def reference() -> str:
    """The whole page."""
    return HEAD + "\n".join([*_library(), *_commands(cli, "otel-kit")])


def _library() -> Iterator[str]:
    yield "## The library\n"
    for name in otel_kit.__all__:
        value = getattr(otel_kit, name)
        if not callable(value):
            continue
        signature = "" if inspect.isclass(value) else _signature(value)
        yield f"### `otel_kit.{name}`\n\n```text\n{name}{signature}\n\n{inspect.getdoc(value)}\n```\n"


def _signature(function: object) -> str:
    signature = inspect.signature(function)  # type: ignore[arg-type]
    if len(signature.parameters) < 3:
        return str(signature)
    lines = [f"    {p}," for p in signature.parameters.values()]
    return (
        "(\n    *,\n"
        + "\n".join(line.replace("    *, ", "    ") for line in lines)
        + f"\n) -> {signature.return_annotation}"
    )


def _commands(command: click.Command, path: str) -> Iterator[str]:
    context = click.Context(command, info_name=path, terminal_width=100, max_content_width=100)
    yield f"## `{path}`\n\n```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from _commands(child, f"{path} {name}")


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(
            0
            if PAGE.read_text() == reference()
            else "docs/reference.md is stale; run: python -m docs.generate"
        )
    PAGE.write_text(reference())

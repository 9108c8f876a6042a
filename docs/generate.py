"""Write ``docs/reference.md`` from the code: library, variables, commands, lint rules.

Run it with ``python -m docs.generate``; with ``--check`` it only says whether the page is up to date.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

import otel_kit
from otel_kit.cli.commands import cli
from otel_kit.datadog.lint import RULES
from otel_kit.sdk.config import settings

PAGE = Path(__file__).with_name("reference.md")
HEAD = """\
<!-- Written by `python -m docs.generate`; do not edit. -->
# Reference

"""


def reference() -> str:
    """The whole page."""
    return HEAD + "\n".join([*_library(), *_variables(), *_commands(cli, "otel-kit"), *_rules()])


def _library() -> Iterator[str]:
    yield "## The library\n"
    for name in otel_kit.__all__:
        value = getattr(otel_kit, name)
        if not callable(value):
            continue
        signature = "" if inspect.isclass(value) else _signature(value)
        yield f"### `otel_kit.{name}`\n\n```text\n{name}{signature}\n\n{inspect.getdoc(value)}\n```\n"


def _signature(function: Callable[..., object]) -> str:
    signature = inspect.signature(function)
    parameters = [_unquoted(str(p)) for p in signature.parameters.values()]
    if len(parameters) < 3:
        return f"({', '.join(parameters)}) -> {signature.return_annotation}"
    lines = "".join(f"    {text},\n" for text in ["*", *parameters])
    return f"(\n{lines}) -> {signature.return_annotation}"


def _unquoted(parameter: str) -> str:
    """Annotations are strings here; nobody wants to read their quotes."""
    name, _, rest = parameter.partition(": ")
    quote = rest[0]
    annotation, _, default = rest[1:].partition(f"{quote} = ")
    return f"{name}: {annotation} = {default}"


def _variables() -> Iterator[str]:
    yield f"## Environment of a service\n\n```text\n{inspect.getdoc(settings)}\n```\n"


def _rules() -> Iterator[str]:
    yield "## What `plan` and `apply` refuse\n"
    yield "| rule | why |\n|---|---|"
    for name, why in sorted(RULES.items()):
        yield f"| {name} | {why} |"
    yield ""


def _commands(command: click.Command, name: str, parent: click.Context | None = None) -> Iterator[str]:
    settings = {"terminal_width": 100, "max_content_width": 100, **command.context_settings}
    context = click.Context(command, info_name=name, parent=parent, **settings)
    yield f"## `{context.command_path}`\n\n```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for child_name in command.list_commands(context):
            child = command.get_command(context, child_name)
            assert child is not None
            yield from _commands(child, child_name, context)


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(
            0
            if PAGE.read_text() == reference()
            else "docs/reference.md is stale; run: python -m docs.generate"
        )
    PAGE.write_text(reference())

"""Write ``docs/reference.md`` from the code: library, variables, commands, lint rules.

Run it with ``python -m docs.generate``; with ``--check`` it only says whether the page is up to date.
"""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import click

import otel_kit
from otel_kit import testing
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
    return HEAD + "\n".join([*_library(), *_variables(), *_testing(), *_commands(cli, "otel-kit"), *_rules()])


def _library() -> Iterator[str]:
    yield "## The library\n"
    for name in otel_kit.__all__:
        value = getattr(otel_kit, name)
        if inspect.isclass(value):
            yield _class(value, "otel_kit")
        elif callable(value):
            text = f"{name}{_signature(value)}\n\n{inspect.getdoc(value)}"
            yield f"### `otel_kit.{name}`\n\n```text\n{text}\n```\n"


def _testing() -> Iterator[str]:
    yield f"## The pytest plugin\n\n```text\n{inspect.getdoc(testing)}\n```\n"
    text = f"with record() as recording: ...\n\n{inspect.getdoc(testing.record)}"
    yield f"### `otel_kit.testing.record`\n\n```text\n{text}\n```\n"
    for kind in ("Recording", "Span", "Metric", "Point", "Log", "Event", "Link"):
        yield _class(getattr(testing, kind), "otel_kit.testing")


def _class(kind: type, package: str) -> str:
    """Its docstring and those of what it offers."""
    parts = [f"{inspect.getdoc(kind)}\n"]
    for name, member in vars(kind).items():
        if name.startswith("_"):
            continue
        if isinstance(member, property):
            parts.append(_member(name, member.__doc__))
        elif inspect.isfunction(member):
            parts.append(_member(f"{name}{_signature(member)}", inspect.getdoc(member)))
    text = "\n".join(parts).rstrip()
    return f"### `{package}.{kind.__name__}`\n\n```text\n{text}\n```\n"


def _member(head: str, doc: str | None) -> str:
    return f"{head}\n{textwrap.indent(inspect.cleandoc(doc or ''), '    ')}\n"


def _signature(function: Callable[..., object]) -> str:
    signature = inspect.signature(function)
    parts: list[str] = []
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in parts:
            parts.append("*")
        if parameter.name != "self":
            parts.append(_unquoted(str(parameter)))
        if parameter.kind is parameter.POSITIONAL_ONLY:
            parts.append("/")
    if len(parts) < 3:
        return f"({', '.join(parts)}) -> {signature.return_annotation}"
    lines = "".join(f"    {text},\n" for text in parts)
    return f"(\n{lines}) -> {signature.return_annotation}"


def _unquoted(parameter: str) -> str:
    """Annotations are strings here; nobody wants to read their quotes."""
    return re.sub(r"""(: )(["'])(.*?)\2($| = )""", r"\1\3\4", parameter)


def _variables() -> Iterator[str]:
    about, *topics = re.split(r"^# (?=\w)", f"{inspect.getdoc(settings)}", flags=re.MULTILINE)
    yield f"## Environment of a service\n\n```text\n{about.rstrip()}\n```\n"
    for topic in topics:
        title, _, rows = topic.partition("\n")
        yield f"### {title}\n\n```text\n{rows.rstrip()}\n```\n"


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

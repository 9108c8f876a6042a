"""The only code that prints. Results go to stdout; progress, questions and errors to stderr."""

from __future__ import annotations

import sys

import click

__all__ = ["confirm", "echo", "error", "progress"]


def echo(text: str = "") -> None:
    """A line of the result. Colours are kept on a terminal only."""
    click.echo(text)


def progress(text: str) -> None:
    """What is going on, for the person who waits."""
    click.echo(text, err=True)


def error(text: str) -> None:
    """One sentence that says what is wrong, where, and what to do."""
    label = click.style("error", fg="red", bold=True)
    click.echo(f"{label}: {text}", err=True)


def confirm(question: str) -> bool:
    """Ask on the terminal; no is the default."""
    return click.confirm(question, default=False, err=True)


def is_terminal() -> bool:
    """Whether somebody can answer a question."""
    return sys.stdin.isatty() and sys.stderr.isatty()

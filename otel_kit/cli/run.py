"""`otel-kit run`: start a program with telemetry, without a change to its code."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict
from typing import Final

import click

from otel_kit.cli import output
from otel_kit.errors import ToolError

__all__ = ["run"]

#: As shells end (POSIX, 2.8.2), so that what starts programs by us tells them apart as before.
_NOT_EXECUTABLE: Final = 126
_NOT_FOUND: Final = 127


@click.command(context_settings={"allow_interspersed_args": False})
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="First write what is run, with all settings, as one line to stderr.",
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(command: tuple[str, ...], *, as_json: bool) -> int:
    """Start COMMAND with telemetry, as in `otel-kit run -- uvicorn shop.bff:app`.

    init() runs before the program's own code, in its process and in each Python process below it, and is
    told by the environment; what the code gives its own init() wins. The program takes the place of this
    process, so its exit code and its signals are its own; a program that is not found is 127, one that cannot
    be executed 126. Its Python must have otel-kit installed, and not ignore PYTHONPATH (-E, -I, -S).
    """
    from otel_kit.sdk.launch import environment, isolating_option

    program = shutil.which(command[0])
    if program is None:
        there = os.sep in command[0] and os.path.exists(command[0])  # noqa: PTH110 - a name with a NUL byte, too
        return _failed(
            f"the program '{command[0]}' is not found or cannot be executed",
            "give its path; a script needs its interpreter: otel-kit run -- python app.py",
            _NOT_EXECUTABLE if there else _NOT_FOUND,
        )
    option = isolating_option(program, command)
    if option:
        output.progress(
            f"otel-kit run: {command[0]} begins without telemetry, since its option {option} has Python "
            "ignore PYTHONPATH or sitecustomize; leave it out, or call otel_kit.init() in the code"
        )
    environ = environment(os.environ, os.getpid())
    if as_json:
        output.progress(_start_line(program, command))
    try:
        os.execve(program, command, environ)  # noqa: S606
    except OSError as error:
        return _failed(
            f"{program} cannot be executed: {error.strerror}",
            "look at its first line, or give its interpreter: otel-kit run -- python app.py",
            _NOT_EXECUTABLE,
        )


def _failed(what: str, fix: str, code: int) -> int:
    output.error(str(ToolError(what, fix=fix)))
    return code


def _start_line(program: str, command: tuple[str, ...]) -> str:
    from otel_kit.sdk.config.arguments import Arguments
    from otel_kit.sdk.config.settings import resolve
    from otel_kit.sdk.privacy.redact import default_redactor

    redact = default_redactor()
    settings = resolve(Arguments(), os.environ, host=os.uname().nodename)
    return json.dumps(
        {
            "event": "otel-kit run",
            "program": program,
            # A word after an option may be its value, and the option may say that it is secret.
            "command": [
                redact(o.lstrip("-") or "command", w)
                for o, w in zip(("", *command[:-1]), command, strict=True)
            ],
            "disabled": settings.disabled,
            "endpoints": {signal: target.shown for signal, target in settings.targets.items()},
            "problems": settings.problems,
            "settings": [asdict(origin) for origin in settings.origins],
        }
    )

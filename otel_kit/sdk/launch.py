"""How ``otel-kit run`` makes a program begin with `init`, without a change to it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

__all__ = ["DIRECTORY", "RUN_PID", "environment", "isolating_option"]

#: Holds the module that Python imports before any program.
DIRECTORY: Final = str(Path(__file__).with_name("autoload"))
#: Tells the program from what it starts; its presence says that ``otel-kit run`` has started both.
RUN_PID: Final = "OTEL_KIT_RUN_PID"

_PYTHON: Final = re.compile(r"(?:python|pypy)[\d.]*t?")
#: What of the environment or of the modules imported first these leave out.
_ISOLATING: Final = "EIS"
#: Options whose value is the next word, unless it follows at once.
_WITH_VALUE: Final = "WX"


def isolating_option(program: str, command: Sequence[str]) -> str:
    """The option by which a Python would begin without `init`, or an empty string.

    Args:
        program: its path; a script tells its Python in its first line.
        command: with which it is called; the first word is its name.
    """
    words = [program, *command[1:]]
    if not _PYTHON.fullmatch(Path(program).name):
        words = _first_line(program)
        if words and Path(words[0]).name == "env":
            words = words[2:] if words[1:2] == ["-S"] else words[1:]
    if not words or not _PYTHON.fullmatch(Path(words[0]).name):
        return ""
    options = iter(words[1:])
    for word in options:
        if not word.startswith("-") or word.startswith("--") or word == "-":
            return ""
        for place, letter in enumerate(word[1:], 1):
            if letter in _ISOLATING:
                return f"-{letter}"
            if letter in "cm":  # the program
                return ""
            if letter in _WITH_VALUE:
                if place == len(word) - 1:
                    next(options, None)
                break
    return ""


def _first_line(program: str) -> list[str]:
    try:
        with Path(program).open("rb") as file:
            line = file.readline(512)
    except OSError:
        return []
    return line[2:].decode(errors="replace").split() if line.startswith(b"#!") else []


def environment(environ: Mapping[str, str], pid: int) -> dict[str, str]:
    """The environment for a program that takes the place of the process `pid`.

    PYTHONPATH is inherited, so each Python process below it begins with `init`, too: workers of uvicorn,
    children of multiprocessing. The pid tells the program itself from these.
    """
    before = [entry for entry in environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    others = [entry for entry in before if entry != DIRECTORY]
    return {
        **environ,
        "PYTHONPATH": os.pathsep.join([DIRECTORY, *others]),
        RUN_PID: str(pid),
    }

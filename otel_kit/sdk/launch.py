"""How ``otel-kit run`` makes a program begin with `init`, without a change to it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

__all__ = ["DIRECTORY", "RUN_PID", "environment"]

#: Holds the module that Python imports before any program.
DIRECTORY: Final = str(Path(__file__).with_name("autoload"))
#: Tells the program from what it starts; its presence says that ``otel-kit run`` has started both.
RUN_PID: Final = "OTEL_KIT_RUN_PID"


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

"""The ``otel-kit`` command: thin; it parses, calls and prints.

Needs the extra ``[cli]``. Each command family is one module, imported when it is used, so that
``otel-kit --help`` stays quick. Exit codes: 0 done, 1 error, 2 ``plan`` found changes.
"""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; every error that we know of is one sentence on stderr and exit code 1."""
    try:
        from otel_kit.cli.commands import run
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("otel_kit"):
            raise
        sys.exit(
            f"otel-kit: the command line needs the package '{error.name}'; "
            "install it with: pip install 'otel-kit[cli]'"
        )
    sys.exit(run(sys.argv[1:]))

"""The ``otel-kit`` command: thin; it parses, calls and prints.

Needs the extra ``[cli]``. Each command family is one module, imported when it is used, so that
``otel-kit --help`` stays quick. Exit codes: 0 done, 1 error, 2 ``plan`` found changes.
"""

from __future__ import annotations

import sys

__all__ = ["main", "missing_extra"]

#: Packages that the extra `[dev]` brings; all others come with `[cli]`.
_DEV_PACKAGES = frozenset({"starlette", "uvicorn", "zstandard"})


def main() -> None:
    """Run the command line; every error that we know of is one sentence on stderr and exit code 1."""
    try:
        from otel_kit.cli.commands import run
    except ModuleNotFoundError as error:
        sys.exit(f"error: {missing_extra(error)}")
    sys.exit(run(sys.argv[1:]))


def missing_extra(error: ModuleNotFoundError) -> str:
    """Say which extra brings the missing package; re-raise where the missing module is our own."""
    package = (error.name or "").partition(".")[0]
    if package in {"", "otel_kit"}:
        raise error
    extra = "dev" if package in _DEV_PACKAGES else "cli"
    return f"the package '{package}' is not installed; install it with: pip install 'otel-kit[{extra}]'"

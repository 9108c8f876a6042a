"""The ``otel-kit`` command: thin; it parses, calls and prints.

Needs the extra ``[cli]``; ``otel-kit dev`` needs ``[dev]``. Each command family is one module, imported when
it is used, so that ``otel-kit --help`` stays quick. Exit codes: 0 done, 1 error, 2 ``plan`` found changes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

__all__ = ["main", "missing_extra"]


def main() -> None:
    """Run the command line; every error that we know of is one sentence on stderr and exit code 1."""
    arguments = sys.argv[1:]
    try:
        from otel_kit.cli.commands import run
    except ModuleNotFoundError as error:
        sys.exit(f"error: {missing_extra(error, arguments)}")
    sys.exit(run(arguments))


def missing_extra(error: ModuleNotFoundError, arguments: Sequence[str]) -> str:
    """Say which packages the command lacks, and its extra; re-raise where the missing module is our own."""
    from otel_kit.errors import to_install

    module = (error.name or "").partition(".")[0]
    if module in {"", "otel_kit"}:
        raise error
    extra = "dev" if arguments[:1] == ["dev"] else "cli"
    packages = " ".join(_missing(extra)) or module
    return f"the package '{module}' is not installed; {to_install(packages, extra)}"


def _missing(extra: str) -> Iterator[str]:
    """The distributions that it asks for and that are not here, as our metadata name them."""
    import contextlib
    import re
    from importlib import metadata

    with contextlib.suppress(metadata.PackageNotFoundError):  # we are no distribution, but a folder
        for requirement in metadata.requires("otel-kit") or ():
            found = re.match(rf"([\w.-]+).*\bextra == ['\"]{extra}['\"]", requirement)
            if found and not any(metadata.distributions(name=found[1])):
                yield found[1]

"""The ``otel-kit`` command: thin; it parses, calls and prints.

Needs the extra ``[cli]``; ``otel-kit dev`` needs ``[dev]``. Each command family is one module, imported when
it is used, so that ``otel-kit --help`` stays quick. Exit codes: 0 done, 1 error, 2 ``plan`` found changes.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

from otel_kit.errors import to_install

__all__ = ["main", "missing_extra"]

#: Module -> the distribution that brings it, where that has another name.
_DISTRIBUTIONS: Final = {
    "datadog_api_client": "datadog-api-client",
    "google": "googleapis-common-protos",
    "yaml": "PyYAML",
}


def main() -> None:
    """Run the command line; every error that we know of is one sentence on stderr and exit code 1."""
    arguments = sys.argv[1:]
    try:
        from otel_kit.cli.commands import run
    except ModuleNotFoundError as error:
        sys.exit(f"error: {missing_extra(error, arguments)}")
    sys.exit(run(arguments))


def missing_extra(error: ModuleNotFoundError, arguments: Sequence[str]) -> str:
    """Say which package the command lacks, and its extra; re-raise where the missing module is our own."""
    package = (error.name or "").partition(".")[0]
    if package in {"", "otel_kit"}:
        raise error
    distribution = _DISTRIBUTIONS.get(package, package)
    extra = "dev" if arguments[:1] == ["dev"] else "cli"
    return f"the package {distribution} is not installed; {to_install(distribution, extra)}"

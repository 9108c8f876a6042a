"""Runs the tests that OpenTelemetry's packages ship in their source distributions against ours.

``python -m tests.conformance.run [suite...]`` runs each suite twice in processes of their own: with the
package as it is, which tells what fails here anyway, and with our classes in the place of its own. What fails
only then is a deviation. Each has to stand in ``deviations/<suite>.txt`` with its reason, and each that is
listed there has to deviate; else the exit code is 1.

A suite is one module ``suites/<suite>.py`` (loaded by its file inside the foreign run, so it imports nothing
from `tests`) with:

- ``DISTRIBUTION``: name of the distribution, say ``opentelemetry-instrumentation-asgi``; its tests are taken
  from the version that is installed.
- ``TESTS``: files and folders in its source, say ``("tests",)``.
- ``LIBRARIES``: further distributions that the tests import, installed beside ours without dependencies;
  ``opentelemetry-test-utils`` is always there. May be empty.
- ``ENVIRONMENT``: variables that the tests need; may be left out.
- ``substitute()``: puts our classes in the place of the package's, before any test is imported.

A line of the list of deviations is ``<test id>  # <reason>``; an id is as pytest prints it.
``--show ID`` runs one test of the suite with ours and shows all of its output.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.conformance.source import BUILD, ROOT, libraries, source

__all__ = ["Outcome", "run", "suites"]

HERE: Final = Path(__file__).parent
TIMEOUT: Final = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one suite came to.

    Attributes:
        tests: how many passed with the package as it is.
        anyway: tests that fail here with it.
        unexplained: tests that fail only with ours and are not listed.
        outdated: listed tests that pass with ours, or are no more.
        explained: listed tests that fail with ours.
    """

    suite: str
    tests: int
    anyway: list[str]
    unexplained: list[str]
    outdated: list[str]
    explained: list[str]

    @property
    def ok(self) -> bool:
        """Nothing deviates but what is listed."""
        return self.tests > 0 and not self.unexplained and not self.outdated

    def text(self) -> str:
        """A report of a few lines."""
        listed = f"{len(self.explained)} deviate as listed"
        lines = [f"{self.suite}: {self.tests} tests pass with the package as it is, {listed}"]
        for what, names in (
            ("fails here anyway", self.anyway),
            ("DEVIATES, not listed", self.unexplained),
            ("LISTED, but does not deviate", self.outdated),
        ):
            lines += [f"  {what}: {name}" for name in names]
        return "\n".join(lines)


def suites() -> list[str]:
    """The names of all suites."""
    return sorted(path.stem for path in (HERE / "suites").glob("*.py") if path.stem != "__init__")


def run(suite: str) -> Outcome:
    """Run one suite with the package as it is, and with ours."""
    theirs, ours = (_outcomes(suite, substitute=substitute) for substitute in (False, True))
    passing = {name for name, outcome in theirs.items() if outcome == "passed"}
    # What is not there any more (a file that cannot be imported) deviates as well.
    deviating = {name for name in passing if ours.get(name) != "passed"}
    listed = set(deviations(suite))
    return Outcome(
        suite=suite,
        tests=len(passing),
        anyway=sorted(name for name, outcome in theirs.items() if outcome == "failed"),
        unexplained=sorted(deviating - listed),
        outdated=sorted(listed - deviating),
        explained=sorted(deviating & listed),
    )


def deviations(suite: str) -> dict[str, str]:
    """The listed deviations and their reasons.

    Raises:
        ValueError: a line has no reason.
    """
    found = {}
    path = HERE / "deviations" / f"{suite}.txt"
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        if not line.strip() or line.startswith("#"):
            continue
        name, hash_, reason = line.partition("  # ")
        if not hash_ or not reason.strip():
            raise ValueError(f"{path}: no reason for {name}; write '<test id>  # <reason>'")
        found[name.strip()] = reason.strip()
    return found


def _outcomes(suite: str, *, substitute: bool) -> dict[str, str]:
    written = BUILD / f"{suite}-{'ours' if substitute else 'theirs'}.json"
    written.unlink(missing_ok=True)
    process = _pytest(suite, written, substitute=substitute)
    if not written.exists():
        raise RuntimeError(f"{suite}: pytest gave no outcomes:\n{process.stdout}{process.stderr}")
    found: dict[str, str] = json.loads(written.read_text(encoding="utf-8"))
    return found


def _pytest(
    suite: str, written: Path, *, substitute: bool, show: str | None = None
) -> subprocess.CompletedProcess[str]:
    module: Any = importlib.import_module(f"tests.conformance.suites.{suite}")
    folder = source(module.DISTRIBUTION)
    paths = [str(HERE / "inside"), str(ROOT), str(libraries(module.LIBRARIES))]
    command = [sys.executable, "-m", "pytest", "-p", "conformance_plugin", "-p", "no:cacheprovider", "-q"]
    command += ["--rootdir", str(folder), "-c", str(HERE / "inside" / "pytest.ini")]
    command += ["-s", "--tb=long", show] if show else ["--tb=no", *module.TESTS]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("OTEL_")},
        **getattr(module, "ENVIRONMENT", {}),
        "PYTHONPATH": os.pathsep.join(paths),
        "CONFORMANCE_SUITE": str(HERE / "suites" / f"{suite}.py"),
        "CONFORMANCE_SUBSTITUTE": str(int(substitute)),
        "CONFORMANCE_OUTCOMES": str(written),
    }
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=show is None,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )


def main(arguments: Sequence[str]) -> int:
    """Run the suites that are named, or all; 1 where something deviates without an explanation."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.run")
    parser.add_argument("suite", nargs="*", help=f"of {', '.join(suites())}; all by default")
    parser.add_argument(
        "--show", metavar="ID", help="run this test of the suite with ours and show its output"
    )
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.suite) - set(suites()))
    if unknown:
        parser.error(f"no such suite: {', '.join(unknown)}; there are {', '.join(suites())}")
    if given.show:
        suite = given.suite[0] if given.suite else suites()[0]
        return _pytest(suite, BUILD / "shown.json", substitute=True, show=given.show).returncode
    outcomes = [run(suite) for suite in given.suite or suites()]
    for outcome in outcomes:
        sys.stdout.write(f"{outcome.text()}\n")
    return 0 if all(outcome.ok for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The pytest plugin inside the run of a foreign suite: substitutes our classes, and notes each outcome.

It is loaded by its file, not as a part of our `tests`: the foreign suites have a package of that name, too.
"""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from typing import Any

_outcomes: dict[str, str] = {}


def pytest_configure() -> None:
    if os.environ["CONFORMANCE_SUBSTITUTE"] == "1":
        spec = importlib.util.spec_from_file_location("conformance_suite", os.environ["CONFORMANCE_SUITE"])
        assert spec is not None
        assert spec.loader is not None
        suite = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(suite)
        suite.substitute()


def pytest_collectreport(report: Any) -> None:
    if report.failed:
        _outcomes[report.nodeid] = "failed"


def pytest_runtest_logreport(report: Any) -> None:
    if report.failed or report.nodeid not in _outcomes:
        _outcomes[report.nodeid] = "failed" if report.failed else report.outcome
    elif report.skipped:
        _outcomes.setdefault(report.nodeid, "skipped")


def pytest_sessionfinish() -> None:
    Path(os.environ["CONFORMANCE_OUTCOMES"]).write_text(json.dumps(_outcomes), encoding="utf-8")

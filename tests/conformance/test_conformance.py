"""The suites of OpenTelemetry's own packages pass with ours but for the listed deviations."""

from __future__ import annotations

import pytest

from tests.conformance.run import run, suites


@pytest.mark.conformance
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("suite", suites())
def test_nothing_deviates_but_what_is_listed(suite: str) -> None:
    outcome = run(suite)
    assert outcome.ok, outcome.text()

"""Metrics that share a name do not write over each other in Datadog, which keeps one point a second."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests import system
from tests.parts import eventually, start
from tests.standin import StandIn

TIMES = 5


@pytest.mark.slow
def test_two_clients_and_two_counters_of_one_name(stand_in: StandIn, tmp_path: Path) -> None:
    with system.collector(stand_in.url, tmp_path) as collector:
        env = system.service_env(collector.http_url, OTEL_SERVICE_NAME="names", TIMES=str(TIMES))
        with start([sys.executable, "-m", "tests.sdk.apps.one_name"], env=env) as part:
            assert part.wait() == 0, part.output()
        arrived(stand_in, "count:http.client.request.duration{service:names}.as_count()")
        arrived(stand_in, "sum:shop.orders{service:names}.as_count()")
        assert stand_in.losses() == {}


def arrived(stand_in: StandIn, query: str) -> None:
    eventually(lambda: stand_in.total(query) >= 2 * TIMES, what=query)
    assert stand_in.total(query) == 2 * TIMES

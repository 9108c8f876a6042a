"""Nothing is lost when a part dies, and no request fails because of telemetry."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests import system
from tests.e2e.load import Load, assert_all_arrived, place_orders
from tests.parts import free_port, free_ports
from tests.standin import StandIn


def test_sigterm_right_after_requests(stand_in: StandIn, tmp_path: Path) -> None:
    with system.collector(stand_in.url, tmp_path) as collector:
        # The default intervals: nothing but the flush at the end can have sent it.
        env = system.service_env(collector.http_url, OTEL_METRIC_EXPORT_INTERVAL="60000")
        with system.orders(env) as (orders, target), system.bff(env, target) as (bff, url):
            place_orders(url, 20)
            assert bff.terminate() == -signal.SIGTERM
            assert orders.terminate() == 0
        assert_all_arrived(stand_in, 20)


@pytest.mark.slow
def test_collector_killed_for_20_seconds_under_load(stand_in: StandIn, tmp_path: Path) -> None:
    grpc_port, http_port = free_ports(2)
    env = system.service_env(f"http://127.0.0.1:{http_port}")
    with system.orders(env) as (_, target), system.bff(env, target) as (bff, url):
        with system.collector(stand_in.url, tmp_path, ports=(grpc_port, http_port)) as collector:
            load = Load(url, per_second=50)
            time.sleep(3)
            collector.part.kill()
            time.sleep(20)
        with system.collector(stand_in.url, tmp_path, ports=(grpc_port, http_port)):
            time.sleep(3)
            load.stop()
            assert load.failures == []
            assert bff.terminate() == -signal.SIGTERM
            assert_all_arrived(stand_in, load.sent)
    assert load.sent > 1000


def test_without_a_collector_the_service_works_and_ends_in_time() -> None:
    env = system.service_env(f"http://127.0.0.1:{free_port()}")
    with system.orders(env) as (orders, target), system.bff(env, target) as (bff, url):
        place_orders(url, 20)
        # uvicorn ends by the signal that it was stopped with; orders leaves by itself.
        for part, code in ((bff, -signal.SIGTERM), (orders, 0)):
            asked = time.monotonic()
            assert part.terminate() == code
            # The flush may take 3 s; the rest is for the process's own end on a busy machine.
            assert time.monotonic() - asked < 10
        assert "Traceback" not in bff.output()
        assert "dropped" in bff.output(), "what could not be sent is told"

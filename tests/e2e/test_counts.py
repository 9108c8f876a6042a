"""What Datadog ends up with equals what happened."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests import system
from tests.e2e.load import HTTP_COUNT, assert_all_arrived, place_orders
from tests.parts import Part, eventually
from tests.standin import StandIn


def worker_pids(bff: Part) -> list[int]:
    """The two processes behind the port, once both serve."""
    eventually(lambda: bff.output().count("Application startup complete.") == 2, what="both workers")
    pids = re.findall(r"Started server process \[(\d+)\]", bff.output())
    assert len(pids) == 2
    return [int(pid) for pid in pids]


@contextlib.contextmanager
def sleeping(pid: int) -> Iterator[None]:
    """The process does nothing until the end of the block."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_two_bff_processes_behind_one_port(stand_in: StandIn, tmp_path: Path) -> None:
    with system.collector(stand_in.url, tmp_path) as collector:
        env = system.service_env(collector.http_url)
        with system.orders(env) as (_, target), system.bff(env, target, workers=2) as (bff, url):
            for worker in worker_pids(bff):
                with sleeping(worker):  # so the other one serves, whatever the kernel would have chosen
                    place_orders(url, 25)
            with ThreadPoolExecutor(6) as clients:
                list(clients.map(lambda _: place_orders(url, 25), range(6)))
            assert bff.terminate() == 0
            assert_all_arrived(stand_in, 200)
        tags = [
            set(s["tags"]) for s in stand_in.get("/dev/api/series", metric="http.server.request.duration")
        ]
        writers = {t for series in tags for t in series if t.startswith("service.instance.id:")}
        assert len(writers) == 2, "both processes have written, each its own series"
        assert all({"service:shop-bff", "env:local", "version:1.2.3"} <= series for series in tags)
        assert stand_in.losses() == {}


def test_everything_over_grpc(stand_in: StandIn, tmp_path: Path) -> None:
    with system.collector(stand_in.url, tmp_path) as collector:
        env = system.service_env(collector.grpc_url, OTEL_EXPORTER_OTLP_PROTOCOL="grpc")
        with system.orders(env) as (orders, target), system.bff(env, target) as (bff, url):
            place_orders(url, 20)
            assert bff.terminate() == -signal.SIGTERM
            assert orders.terminate() == 0
        assert_all_arrived(stand_in, 20)
        assert stand_in.total(HTTP_COUNT.replace("}", ",http.route:/orders}")) == 20
        assert stand_in.losses() == {}

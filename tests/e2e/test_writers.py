"""One writer a series: four workers in each of two pods, and counts in Datadog equal what happened."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests import system
from tests.parts import Part, eventually, free_port, http_ready, start
from tests.sdk.run import get
from tests.standin import StandIn

COUNT = "count:http.server.request.duration{service:web}.as_count()"
WORKERS = 4
#: gunicorn replaces a worker that is silent for long, and here they are made to sleep.
GUNICORN = (
    *("gunicorn", "tests.sdk.apps.web:app", "-k", "uvicorn_worker.UvicornWorker", "-w", str(WORKERS)),
    *("--timeout", "300", "--no-control-socket"),
)
UVICORN = ("uvicorn", "tests.sdk.apps.web:app", "--workers", str(WORKERS))


@contextlib.contextmanager
def pod(number: int, command: Sequence[str], collector_url: str) -> Iterator[tuple[Part, str, str]]:
    """A pod: its server, its URL and its uid."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    uid = f"7b0c5a1e-{os.getpid()}-{time.time_ns():x}-{number}"
    bind = ["-b", f"127.0.0.1:{port}"] if command[0] == "gunicorn" else ["--port", str(port)]
    env = system.service_env(collector_url, POD_UID=uid, POD_NAME=f"web-{number}")
    try:
        with start(
            [sys.executable, "-m", *command, *bind], env=env, ready=http_ready(f"{url}/healthz")
        ) as part:
            yield part, url, uid
    finally:
        for path in Path("/dev/shm").glob(f"otel-kit-{uid}-*"):
            path.unlink()


def workers(part: Part, generation: int = 1) -> list[int]:
    """The processes of gunicorn that serve, once the last `WORKERS` of them do."""
    started = WORKERS * generation
    eventually(lambda: part.output().count("Application startup complete.") >= started, what="all workers")
    return [int(pid) for pid in re.findall(r"Booting worker with pid: (\d+)", part.output())][-WORKERS:]


def ask_each(url: str, pids: list[int], requests: int) -> None:
    """`requests` to each worker: the others sleep meanwhile, whomever the kernel would have preferred."""
    for awake in pids:
        asleep = [pid for pid in pids if pid != awake]
        for pid in asleep:
            os.kill(pid, signal.SIGSTOP)
        try:
            assert {get(f"{url}/orders/{number}") for number in range(requests)} == {200}
        finally:
            for pid in asleep:
                os.kill(pid, signal.SIGCONT)


def writers(stand_in: StandIn) -> set[str]:
    """Ids of the processes that have counted requests."""
    series = stand_in.get("/dev/api/series", metric="http.server.request.duration")
    tags = {tag for one in series for tag in one["tags"]}
    return {tag.partition(":")[2] for tag in tags if tag.startswith("service.instance.id:")}


@pytest.mark.slow
def test_four_workers_in_each_of_two_pods_with_a_reload(stand_in: StandIn, tmp_path: Path) -> None:
    with system.collector(stand_in.url, tmp_path) as collector:
        with (
            pod(1, GUNICORN, collector.http_url) as (gunicorn, first, first_uid),
            pod(2, UVICORN, collector.http_url) as (uvicorn, second, second_uid),
        ):
            ask_each(first, workers(gunicorn), 10)
            assert {get(f"{second}/orders/{number}") for number in range(60)} == {200}
            gunicorn.process.send_signal(signal.SIGHUP)
            ask_each(first, workers(gunicorn, generation=2), 10)
            assert gunicorn.terminate() == 0
            assert uvicorn.terminate() == 0
        sent = 10 * WORKERS + 60 + 10 * WORKERS
        eventually(lambda: stand_in.total(COUNT) >= sent, timeout=30, what="all requests")
        assert stand_in.total(COUNT) == sent
        names = writers(stand_in)
        # The old workers may still hold their numbers when the new ones begin.
        assert WORKERS <= len([name for name in names if name.startswith(first_uid)]) <= 2 * WORKERS
        assert 1 <= len([name for name in names if name.startswith(second_uid)]) <= WORKERS
        assert all(name.startswith((first_uid, second_uid)) for name in names)
        assert stand_in.losses() == {}

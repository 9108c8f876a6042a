"""However a process ends: what it recorded is delivered, or its end is held up for the budget at most."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts import free_port, start
from tests.sdk.run import UVICORN, endpoint, get, lines, ready, script, web
from tests.sdk.sink import Seen, Sink, running_sink

BUDGET = 3.0
#: For starting the interpreter and ending it on a busy machine; the budget alone is what is tested.
SLACK = 10.0


def delivered(seen: Seen) -> tuple[int, float, int]:
    """Spans, additions to the counter and log lines that arrived."""
    return len(seen.spans), seen.total("jobs.done"), len([log for log in seen.logs if log.scope == "job"])


def summary(part_lines: list[dict[str, str]]) -> list[str]:
    """What the library said last."""
    return [line["message"] for line in part_lines if "flushed" in line["message"]]


def summary_of(flushed: int, dropped: int) -> str:
    """The last line of the library."""
    return (
        f"otel-kit: at the end flushed {flushed} and dropped {dropped} items "
        "(spans, log records, metric points)"
    )


@pytest.mark.parametrize(("mode", "code"), [("plain", 0), ("exit", 3), ("exception", 1)])
def test_a_script_that_ends_by_itself(mode: str, code: int) -> None:
    with running_sink() as sink:
        with script(mode, endpoint(sink)) as part:
            assert part.wait() == code
            (told,) = summary(lines(part))
        seen = sink.seen
    assert delivered(seen) == (20, 20, 20)
    # All that arrived, apart from what a busy machine lets the library send before the end.
    flushed = int(told.partition(" flushed ")[2].split()[0])
    assert told == summary_of(flushed, 0)
    assert 1 <= flushed <= len(seen.spans) + len(seen.logs) + len(seen.points)


def test_sigterm_ends_a_script_as_it_would_without_us() -> None:
    with running_sink() as sink:
        with script("wait", endpoint(sink)) as part:
            ready(part)
            assert part.terminate(timeout=BUDGET + SLACK) == -signal.SIGTERM
        assert delivered(sink.seen) == (20, 20, 20)


def test_the_handler_of_the_service_still_runs() -> None:
    with running_sink() as sink:
        with script("own-handler", endpoint(sink)) as part:
            ready(part)
            assert part.terminate(timeout=BUDGET + SLACK) == 0
        assert delivered(sink.seen) == (21, 21, 21)
        assert [span.name for span in sink.seen.spans][-1] == "last words"


def test_sigterm_ends_the_first_process_of_a_container() -> None:
    """The kernel spares process 1 of a PID namespace from the default action of a signal."""
    isolate = ["unshare", "--pid", "--fork", "--kill-child", "--map-root-user"]
    if shutil.which("unshare") is None or subprocess.run([*isolate, "true"], check=False).returncode:
        pytest.skip("PID namespaces cannot be made here (unshare)")
    with running_sink() as sink:
        command = [*isolate, sys.executable, "-m", "tests.sdk.apps.script", "wait"]
        with start(command, env=endpoint(sink)) as part:
            ready(part)
            children = Path(f"/proc/{part.pid}/task/{part.pid}/children").read_text().split()
            os.kill(int(children[0]), signal.SIGTERM)
            assert part.wait(timeout=BUDGET + SLACK) == 128 + signal.SIGTERM
        assert delivered(sink.seen) == (20, 20, 20)


@contextlib.contextmanager
def slow(sink: Sink, seconds: float) -> Iterator[None]:
    """The sink takes its time for each request."""
    sink.pause = seconds
    yield
    sink.pause = 0.0


def test_after_a_lifespan_nobody_waits_for_the_collector() -> None:
    with running_sink() as sink, slow(sink, 0.4):
        with start([sys.executable, "-m", "tests.sdk.apps.lifespans"], env=endpoint(sink)) as part:
            assert part.wait() == 0, part.output()
            took = json.loads(part.output().splitlines()[-1])
        # A hundred lines, each of which would have waited for a delivery, and none did.
        assert took["lines"] < 5
        assert took["all"] < BUDGET + SLACK
        assert {f"line {n}" for n in range(100)} <= set(sink.seen.bodies())


def test_an_ignored_sigterm_stays_ignored() -> None:
    with running_sink() as sink, script("ignored", endpoint(sink)) as part:
        ready(part)
        part.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert part.process.poll() is None
        part.kill()


def test_after_shutdown_nothing_is_lost_in_silence() -> None:
    with running_sink() as sink:
        with script("shutdown", endpoint(sink)) as part:
            assert part.wait() == 0
            said = [line["message"] for line in lines(part) if line["status"] == "warn"]
        assert delivered(sink.seen) == (20, 20, 20)
        assert any("traces" in message and "already_shutdown" in message for message in said)


@contextlib.contextmanager
def nowhere(kind: str) -> Iterator[str]:
    """An endpoint that refuses connections, or takes them and says nothing."""
    with socket.socket() as s:
        if kind == "silent":
            s.bind(("127.0.0.1", 0))
            s.listen(64)
        yield f"http://127.0.0.1:{s.getsockname()[1] if kind == 'silent' else free_port()}"


def test_without_a_collector_the_end_is_held_up_for_the_budget_at_most() -> None:
    cases = [(kind, protocol) for kind in ("refused", "silent") for protocol in ("http/protobuf", "grpc")]
    with contextlib.ExitStack() as stack:
        parts = []
        for kind, protocol in cases:  # all four at once: they mostly wait
            url = stack.enter_context(nowhere(kind))
            env = {
                "OTEL_EXPORTER_OTLP_ENDPOINT": url,
                "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
                "OTEL_KIT_RUNTIME_METRICS": "false",
                "COUNT": "3000",
            }
            parts.append(stack.enter_context(script("wait", env)))
        for part in parts:
            ready(part)
        begin = time.monotonic()
        for part in parts:
            part.process.send_signal(signal.SIGTERM)
        for part in parts:
            assert part.wait(timeout=BUDGET + SLACK) == -signal.SIGTERM
        assert time.monotonic() - begin < BUDGET + SLACK
        for part in parts:
            said = [line["message"] for line in lines(part) if line["logger.name"] == "otel_kit"]
            assert said[-1] == summary_of(0, 6001)
            assert len(said) <= 4  # one for each signal, at most one a minute, and the last


def test_a_web_service_starts_serves_and_ends_without_a_collector() -> None:
    sink = Sink()  # never listens
    with web(sink, *UVICORN) as (part, url):
        assert {get(f"{url}/orders/{number}") for number in range(5)} == {200}
        assert part.terminate(timeout=BUDGET + SLACK) == -signal.SIGTERM
        dropped = summary(lines(part))
    assert len(dropped) == 1
    assert dropped[0].startswith("otel-kit: at the end flushed 0 and dropped ")


def test_a_fork_delivers_its_own_and_the_parent_its_own() -> None:
    for protocol in ("http/protobuf", "grpc"):
        sink = Sink()
        if protocol == "grpc":
            server = sink.serve_grpc()
        else:
            sink.up()
        with script("fork", {**endpoint(sink), "OTEL_EXPORTER_OTLP_PROTOCOL": protocol}) as part:
            assert part.wait() == 0, part.output()
        seen = sink.seen
        assert Counter(span.name for span in seen.spans) == {"work": 20, "parent": 5, "child": 15}
        assert seen.total("jobs.done") == 40
        assert len([log for log in seen.logs if log.scope == "job"]) == 40
        for found in (seen.spans, seen.named("jobs.done"), seen.logs):
            assert len({one.resource["service.instance.id"] for one in found}) == 4
        assert len({s.resource["service.instance.id"] for s in seen.spans if s.name != "child"}) == 1
        if protocol == "grpc":
            server.stop(None)
        sink.down()


@pytest.mark.parametrize("where", ["module", "target"])
@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_children_of_multiprocessing_deliver_their_own(method: str, where: str) -> None:
    sink = Sink()
    sink.up()
    with start([sys.executable, "-m", "tests.sdk.apps.workers", method, where], env=endpoint(sink)) as part:
        assert part.wait() == 0, part.output()
    assert Counter(span.name for span in sink.seen.spans) == {"work": 11}
    assert sink.seen.total("work.done") == 11
    sink.down()

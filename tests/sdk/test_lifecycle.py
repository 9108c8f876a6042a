"""Ends of processes besides those of `test_exit`: signals, threads, children, servers with new workers."""

from __future__ import annotations

import contextlib
import re
import shutil
import signal
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import grpc
import pytest

from otel_kit.conventions import HTTP_SERVER_DURATION
from otel_kit.sdk.lifecycle import Lifecycle
from tests.parts import ROOT, Part, eventually, free_port, http_ready, port_ready, start
from tests.sdk.run import GUNICORN, endpoint, get, lines, ready, web
from tests.sdk.sink import Seen, Sink, running_sink


def ending(mode: str, env: Mapping[str, str]) -> contextlib.AbstractContextManager[Part]:
    """`tests/sdk/apps/ending.py`."""
    return start([sys.executable, "-m", "tests.sdk.apps.ending", mode], env=env)


def recorded(seen: Seen) -> Counter[str]:
    """What arrived in each of the three signals alike, by its name."""
    spans = Counter(span.name for span in seen.spans)
    logs = Counter(str(log.body) for log in seen.logs if log.scope == "ending")
    counts = Counter({name: int(seen.total("ending.count", what=name)) for name in spans | logs})
    assert spans == logs == counts
    return spans


@pytest.mark.parametrize(
    ("mode", "number", "code"),
    [
        ("interrupted", signal.SIGINT, -signal.SIGINT),
        ("looping", signal.SIGINT, -signal.SIGINT),
        ("loop_handler", signal.SIGTERM, 0),
        ("late_handler", signal.SIGTERM, 0),
    ],
)
def test_a_signal_ends_a_script_in_its_own_way(mode: str, number: signal.Signals, code: int) -> None:
    with running_sink() as sink:
        with ending(mode, endpoint(sink)) as part:
            ready(part)
            part.process.send_signal(number)
            assert part.wait() == code, part.output()
        assert recorded(sink.seen) == {"before": 1, "finally": 1}


def test_the_default_action_of_sigterm_flushes_also_where_it_was_put_back() -> None:
    with running_sink() as sink:
        with ending("default_again", endpoint(sink)) as part:
            ready(part)
            assert part.terminate() == -signal.SIGTERM
        assert recorded(sink.seen) == {"before": 1}


def test_a_sigterm_just_as_the_end_is_over_is_not_lost() -> None:
    heard: list[int] = []
    lifecycle = Lifecycle([], [], budget=1.0, renew=lambda: None)
    previous = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    try:
        lifecycle.end()
        lifecycle.terminate_later()
    finally:
        signal.signal(signal.SIGTERM, previous)
    assert heard == [signal.SIGTERM]


def test_a_second_sigterm_does_not_cut_the_flush_at_exit() -> None:
    """The handler raises SystemExit; supervisors often signal a process, and its group as well."""
    with running_sink() as sink:
        sink.pause = 1.0
        with ending("twice", endpoint(sink)) as part:
            ready(part)
            part.process.send_signal(signal.SIGTERM)
            eventually(lambda: "exiting" in part.output(), every=0.02, what="the exit")
            time.sleep(0.2)
            assert part.terminate() == 3
            assert "Traceback" not in part.output()
        assert recorded(sink.seen) == {"before": 1}


@contextlib.contextmanager
def silent() -> Iterator[str]:
    """An endpoint that takes connections and says nothing."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen(64)
        yield f"http://127.0.0.1:{s.getsockname()[1]}"


@pytest.mark.parametrize(("mode", "budget"), [("impatient", "60"), ("terminated_amid_shutdown", "1")])
def test_a_signal_amid_shutdown_is_heard_and_what_is_lost_is_told(mode: str, budget: str) -> None:
    with silent() as url:
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_KIT_RUNTIME_METRICS": "false"}
        with ending(mode, {**env, "OTEL_KIT_SHUTDOWN_TIMEOUT": budget}) as part:
            if mode == "impatient":
                ready(part)
                part.process.send_signal(signal.SIGTERM)
            assert part.wait() == -signal.SIGTERM
            said = [line["message"] for line in lines(part) if "flushed" in line["message"]]
        assert said == [
            "otel-kit: at the end flushed 0 and dropped 3 items (spans, log records, metric points)"
        ]


def test_a_signal_handler_may_flush_amid_a_flush() -> None:
    with running_sink() as sink:
        with ending("flush_amid_flush", endpoint(sink)) as part:
            assert part.wait() == 0, part.output()
        assert recorded(sink.seen) == {"before": 1}


def test_threads_that_outlive_the_main_one() -> None:
    with running_sink() as sink:
        with ending("threads", endpoint(sink)) as part:
            assert part.wait() == 0, part.output()
            assert "Traceback" not in part.output()
        # A daemon thread records until the very end, which is why its figures may differ by one.
        spans = Counter(span.name for span in sink.seen.spans)
        assert spans.pop("daemon") > 10
        assert spans == {"main": 1, "thread": 1, "pool": 1, "atexit": 1}


def test_children_of_children() -> None:
    with running_sink() as sink:
        with ending("forks", endpoint(sink)) as part:
            assert part.wait() == 0, part.output()
        assert recorded(sink.seen) == {"parent": 5, "child": 3, "grandchild": 4, "mute": 1}
        writers = {span.name: span.resource["service.instance.id"] for span in sink.seen.spans}
        assert len(set(writers.values())) == 4


def test_children_that_a_thread_forks_end_with_their_last_thread() -> None:
    with running_sink() as sink:
        with ending("forks_of_threads", endpoint(sink)) as part:
            assert part.wait() == 0, part.output()
        assert recorded(sink.seen) == {"parent": 1, "child": 2, "thread": 1}


def test_children_that_are_forked_amid_the_work_of_threads() -> None:
    with running_sink() as sink:
        with ending("busy_forks", endpoint(sink)) as part:
            assert part.wait(timeout=90) == 0, part.output()[-3000:]
            assert f"codes {[0] * 8}" in part.output()
        assert recorded(sink.seen)["child"] == 40


@pytest.mark.parametrize("stack", ["sync", "aio"])
def test_sigterm_ends_a_grpc_server_after_20_calls(stack: str) -> None:
    port = free_port()
    command = [sys.executable, "-m", "tests.sdk.apps.rpc_server", stack]
    with running_sink() as sink:
        with start(command, ready=port_ready(port), env={**endpoint(sink), "PORT": str(port)}) as part:
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                call: Any = channel.unary_unary("/shop.Stock/Get", None, None)
                assert [call(str(n).encode(), timeout=20) for n in range(20)] == [
                    str(n).encode() for n in range(20)
                ]
            assert part.terminate() == -signal.SIGTERM
        seen = sink.seen
    assert [span.name for span in seen.server_spans()] == ["shop.Stock/Get"] * 20
    assert seen.total("rpc.server.call.duration") == 20


def patiently(url: str) -> int:
    """The status; a worker that ends resets connections that it has not begun to serve."""

    def attempt() -> int:
        with contextlib.suppress(OSError):
            return get(url)
        return 0

    return eventually(attempt, every=0.05, what=url)


@pytest.mark.slow
def test_workers_of_gunicorn_that_end_after_some_requests() -> None:
    command = (*GUNICORN, "--max-requests", "8")
    sent = 0
    with running_sink() as sink:
        with web(sink, *command) as (part, url):
            while part.output().count("Booting worker") < 4 and sent < 2000:
                assert patiently(f"{url}/orders/{sent}") == 200
                sent += 1
                time.sleep(0.02)  # workers look at the limit now and then
            assert part.terminate(timeout=20) == 0
            assert part.output().count("Booting worker") >= 4
        seen = sink.seen
    assert Counter(span.attributes["url.path"] for span in seen.spans) == Counter(
        f"/orders/{n}" for n in range(sent)
    )
    assert seen.total(HTTP_SERVER_DURATION) == sent
    assert len([log for log in seen.logs if log.scope == "shop"]) == sent


@contextlib.contextmanager
def reloading(sink: Sink, directory: Path) -> Iterator[tuple[Part, str, Path]]:
    """A service under ``uvicorn --reload``, its URL and its file."""
    file = directory / "reloaded.py"
    shutil.copy(ROOT / "tests/sdk/apps/web.py", file)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "uvicorn", "reloaded:app", "--reload", "--port", str(port)]
    env = {**endpoint(sink), "PYTHONPATH": f"{directory}:{ROOT}"}
    with start(command, ready=http_ready(f"{url}/healthz"), env=env, cwd=directory) as part:
        yield part, url, file


def test_a_reload_loses_nothing(tmp_path: Path) -> None:
    with running_sink() as sink:
        with reloading(sink, tmp_path) as (part, url, file):
            assert {get(f"{url}/orders/{number}") for number in range(10)} == {200}
            file.write_text(file.read_text() + "\n# changed\n")
            eventually(lambda: part.output().count("Application startup complete.") == 2, what="a reload")
            assert {get(f"{url}/orders/{number}") for number in range(10, 20)} == {200}
            part.terminate()
        seen = sink.seen
    assert Counter(span.attributes["url.path"] for span in seen.spans) == Counter(
        f"/orders/{n}" for n in range(20)
    )
    assert seen.total(HTTP_SERVER_DURATION) == 20
    assert len({span.resource["service.instance.id"] for span in seen.spans}) == 2


@pytest.mark.slow
def test_memory_is_bounded_while_there_is_no_collector() -> None:
    with ending("flood", endpoint(Sink())) as part:
        assert part.wait(timeout=120) == 0, part.output()[-2000:]
        grown = re.search(r"grown (\d+)", part.output())
        said = [line["message"] for line in lines(part) if line["logger.name"] == "otel_kit"]
    assert grown
    assert 0 < int(grown[1]) < 150
    assert any("traces" in line and "lost: queue_full" in line for line in said)
    assert len(said) < 10

"""Clients of real servers: one span a call, stable names, nothing secret, and a reason where none is."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.parts import free_port, start
from tests.sdk.run import endpoint
from tests.sdk.sink import Seen, SpanSeen, running_sink

CLIENT = 3
NAMES = ("httpx", "requests", "aiohttp", "urllib3", "redis", "asyncpg", "psycopg", "sqlalchemy")
APP = [sys.executable, "-m", "tests.sdk.apps.clients"]


def used(clients: str, **env: str) -> tuple[Seen, dict[str, list[str]]]:
    """What arrives of the clients, and the state of each."""
    with running_sink() as sink, start(APP, env={**endpoint(sink), "CLIENTS": clients, **env}) as part:
        assert part.wait() == 0, part.output()
        assert "all used" in part.output()
        assert "fault" not in part.output()
        told = [line.split(" ", 5)[1:] for line in part.output().splitlines() if line.startswith("state ")]
    return sink.seen, {name: rest for name, *rest in told}


@dataclass(frozen=True)
class Round:
    """What came of using each client once."""

    website: str
    asked: list[Mapping[str, str]]
    seen: Seen
    states: dict[str, list[str]]

    @property
    def spans(self) -> list[SpanSeen]:
        """The spans of calls that were made."""
        return [span for span in self.seen.spans if span.kind == CLIENT]

    def of(self, system: str) -> list[SpanSeen]:
        """Those of a database."""
        return [span for span in self.spans if span.attributes.get("db.system.name") == system]


@contextlib.contextmanager
def website(asked: list[Mapping[str, str]]) -> Iterator[str]:
    """An HTTP server that notes the headers of what it was asked; it never answers ``/slow``."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append({"path": self.path, **{name.lower(): value for name, value in self.headers.items()}})
            if self.path == "/slow":
                over.wait(60)
                return
            self.send_response(404 if self.path == "/missing" else 200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    over.set()
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, str]]:
    """Redis's protocol and PostgreSQL, both from wheels.

    PostgreSQL runs as a user of its own, who may not look into pytest's directories.
    """
    fakeredis: Any = pytest.importorskip("fakeredis")
    pgserver: Any = pytest.importorskip("pgserver")
    port = free_port()
    redis = fakeredis.TcpFakeServer(("127.0.0.1", port))
    threading.Thread(target=redis.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        postgres = pgserver.get_server(Path(folder) / "data")
        yield {"REDIS": f"redis://127.0.0.1:{port}/0", "POSTGRES": postgres.get_uri()}
        postgres.cleanup()
    redis.shutdown()
    redis.server_close()


@pytest.fixture(scope="module", params=["early", "late"])
def round_(request: pytest.FixtureRequest, servers: dict[str, str]) -> Round:
    """All clients, in a process that imports them after init, or before."""
    asked: list[Mapping[str, str]] = []
    with website(asked) as url:
        seen, states = used(",".join(NAMES), WEB=url, ORDER=request.param, **servers)
    return Round(url, asked, seen, states)


def test_all_are_on_and_nothing_secret_leaves(round_: Round) -> None:
    states = {name: state[0] for name, state in round_.states.items()}
    assert {states.pop(name) for name in [*states] if name.startswith("google-")} <= {"beneath", "absent"}
    assert states == dict.fromkeys(NAMES, "on")
    for span in round_.seen.spans:
        assert "hunter2" not in json.dumps([span.name, span.message, span.attributes, span.events]), span
    for point in round_.seen.points:
        assert "hunter2" not in json.dumps(point.attributes)


def test_http_clients(round_: Round) -> None:
    found = [span for span in round_.spans if "url.full" in span.attributes]
    assert len(found) == 5
    for name in ("httpx", "requests", "urllib3", "aiohttp"):
        (span,) = [s for s in found if f"/{name}" in s.attributes["url.full"]]
        assert span.name == "GET"
        assert span.attributes["url.full"] == f"{round_.website}/{name}?token=REDACTED"
        assert span.attributes["http.response.status_code"] == 200
        assert "http.url" not in span.attributes
        (request,) = [a for a in round_.asked if a["path"].startswith(f"/{name}")]
        assert request["traceparent"].startswith(f"00-{span.trace_id}-{span.span_id}-")
    (refused,) = [s for s in found if "/refused" in s.attributes["url.full"]]
    assert refused.status == 2
    assert round_.seen.named("http.client.request.duration")


def test_sqlalchemy(round_: Round) -> None:
    found = [span for span in round_.of("sqlite") if span.name != "connect"]
    assert [span.attributes["db.query.text"] for span in found if span.status != 2] == ["SELECT ?, ?"] * 2
    assert [span.status for span in found if span.status == 2] == [2, 2]
    assert round_.states["sqlalchemy"][1].startswith("2.")


def test_redis(round_: Round) -> None:
    found = round_.of("redis")
    assert "SET ? ?" in [span.attributes.get("db.query.text") for span in found]
    assert any(span.status == 2 for span in found)


def test_postgresql(round_: Round) -> None:
    texts = [span.attributes.get("db.query.text", "") for span in round_.of("postgresql")]
    assert [text for text in texts if text.startswith("SELECT")] == [
        "SELECT ?, $1::text",
        "SELECT ?, %s",
        "SELECT ?, ?",
    ]


def test_what_is_switched_off_says_so() -> None:
    seen, states = used("sqlalchemy", OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="sqlalchemy,redis")
    assert not [span for span in seen.spans if span.kind == CLIENT]
    assert states["sqlalchemy"][0] == states["redis"][0] == "off"
    assert states["httpx"][0] == "waiting"


@pytest.mark.parametrize(
    ("module", "state", "why"),
    [
        (
            "opentelemetry.instrumentation.httpx",
            "missing",
            "pip install opentelemetry-instrumentation-httpx (the extra [httpx] of otel-kit)",
        ),
        ("opentelemetry.util.http", "failed", "opentelemetry.util.http"),
    ],
)
def test_a_package_that_is_not_there(tmp_path: Path, module: str, state: str, why: str) -> None:
    script = tmp_path / "app.py"
    script.write_text(
        f"import sys; sys.modules[{module!r}] = None\n"
        "import otel_kit; otel_kit.init(service='x', traces=False, metrics=False, logs='none')\n"
        "import httpx\n"
        "from otel_kit.sdk.clients import report\n"
        "print([(s.state, s.why) for s in report() if s.library == 'httpx'])\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=True
    )
    assert f"('{state}'" in done.stdout
    assert why in done.stdout


STREAM = """
import sys, grpc, otel_kit
from concurrent import futures

otel_kit.init(service="s")


class Handler(grpc.GenericRpcHandler):
    def service(self, call):
        return grpc.stream_stream_rpc_method_handler(lambda requests, context: requests)


server = grpc.server(futures.ThreadPoolExecutor(2), handlers=[Handler()])
port = server.add_insecure_port("127.0.0.1:0")
server.start()
with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
    for method in ("StreamingPull", "Acknowledge"):
        print(list(channel.stream_stream(f"/google.pubsub.v1.Subscriber/{method}")(iter([b"x"]))))
server.stop(0)
"""


def test_the_stream_by_which_a_subscriber_waits_is_no_span() -> None:
    with running_sink() as sink, start([sys.executable, "-c", STREAM], env=endpoint(sink)) as part:
        assert part.wait() == 0, part.output()
        assert part.output().count("[b'x']") == 2
    assert {span.name for span in sink.seen.spans} == {"google.pubsub.v1.Subscriber/Acknowledge"}


def test_a_version_that_does_not_fit_is_told_and_left_alone(tmp_path: Path) -> None:
    info = tmp_path / "aiohttp-4.0.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: aiohttp\nVersion: 4.0.0\n")
    script = tmp_path / "app.py"
    script.write_text(
        "import otel_kit; otel_kit.init(service='x', traces=False, metrics=False, logs='stdout')\n"
        "import aiohttp\n"
        "from otel_kit.sdk.clients import report\n"
        "print([s for s in report() if s.library == 'aiohttp'])\n"
        "assert not hasattr(aiohttp.ClientSession._request, '__wrapped__')\n"
    )
    with start([sys.executable, str(script)], env={"PYTHONPATH": str(tmp_path)}) as part:
        assert part.wait() == 0, part.output()
        assert "state='refused'" in part.output()
        told = "opentelemetry-instrumentation-aiohttp-client wants aiohttp ~= 3.0, and 4.0.0 is installed"
        assert f"otel-kit: aiohttp is not instrumented: {told}" in part.output()
        assert f"why='{told}'" in part.output()

"""Switched off, or beside other telemetry: told once, and nothing twice; each in a process of its own."""

from __future__ import annotations

import contextlib
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts import Part, eventually, start
from tests.sdk.run import UVICORN, get, web
from tests.sdk.sink import Sink, running_sink
from tests.sdk.test_init import python

REQUEST = """
    from fastapi import FastAPI
    from starlette.testclient import TestClient
    app = FastAPI()
    app.get("/x")(lambda: "fine")
    with TestClient(app) as client:
        assert client.get("/x").json() == "fine"
"""


@pytest.fixture
def sink() -> Iterator[Sink]:
    with running_sink() as running:
        yield running


@contextlib.contextmanager
def program(tmp_path: Path, sink: Sink, code: str, *before: str, **env: str) -> Iterator[Part]:
    """A short program at the sink, started by a command of its own."""
    file = tmp_path / "program.py"
    file.write_text(textwrap.dedent(code))
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": sink.url, "OTEL_METRIC_EXPORT_INTERVAL": "1000", **env}
    with start([*before, sys.executable, str(file)], env=settings) as part:
        assert part.wait() == 0, part.output()
        yield part


def test_the_kill_switch_leaves_nothing_of_ours() -> None:
    out = python(
        """
        import logging, signal, sys, threading
        root = logging.getLogger()
        state = lambda: (*sys.meta_path, signal.getsignal(signal.SIGTERM), signal.raise_signal, root.level)
        before = state()
        import otel_kit
        handle = otel_kit.init()
        assert (handle.enabled, handle.service) == (False, "s")
        assert handle.why_disabled == "OTEL_KIT_DISABLED is true"
        assert before == state() and not root.handlers and threading.active_count() == 1
        assert not [name for name in sys.modules if name.startswith("opentelemetry")]
        import starlette.applications, grpc
        assert not hasattr(starlette.applications.Starlette.__call__, "__wrapped__")
        assert not hasattr(grpc.aio.server, "__wrapped__")
        assert handle.force_flush() and otel_kit.init() is handle
        handle.shutdown()
        """,
        OTEL_KIT_DISABLED="true",
        OTEL_KIT_SERVICE="s",
    )
    assert out == ""


def test_a_service_that_is_switched_off_serves_and_sends_nothing(sink: Sink) -> None:
    with web(sink, *UVICORN, env={"OTEL_KIT_DISABLED": "true"}) as (part, url):
        assert get(f"{url}/orders/1") == 200
        assert part.terminate() in (0, -15)
        assert "otel" not in part.output()
    assert not sink.seen.headers


@pytest.mark.parametrize("made", ["before", "after"])
def test_fastapi_does_not_send_everything_twice(made: str, sink: Sink, tmp_path: Path) -> None:
    begin = "import otel_kit; otel_kit.init(service='s')"
    code = textwrap.dedent(REQUEST)
    if made == "before":
        code = code.replace("with TestClient", f"{begin}\nwith TestClient")
    else:
        code = f"{begin}\n{code}"
    with program(tmp_path, sink, code, FASTAPI_OTEL_AUTO_CONFIGURE="true") as part:
        assert part.output().count("FASTAPI_OTEL_AUTO_CONFIGURE") == 1
    assert [span.name for span in sink.seen.server_spans()] == ["GET /x"]


def test_under_opentelemetry_instrument_each_request_is_one_span(sink: Sink, tmp_path: Path) -> None:
    """Without a distribution it brings instrumentations alone, and ours takes over from them."""
    command = str(Path(sys.executable).with_name("opentelemetry-instrument"))
    code = f"import otel_kit; otel_kit.init(service='s')\n{textwrap.dedent(REQUEST)}"
    with program(tmp_path, sink, code, command):
        eventually(lambda: sink.seen.server_spans())
    assert [span.name for span in sink.seen.server_spans()] == ["GET /x"]


def test_a_provider_that_comes_later_is_refused_and_ours_stays(sink: Sink, tmp_path: Path) -> None:
    code = """
        import otel_kit; otel_kit.init(service="s")
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider
        trace.set_tracer_provider(TracerProvider())
        trace.get_tracer("t").start_span("mine").end()
    """
    with program(tmp_path, sink, code) as part:
        assert "Overriding of current TracerProvider is not allowed" in part.output()
    assert [span.name for span in sink.seen.spans] == ["mine"]

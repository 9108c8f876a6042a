"""Under launchers of other telemetry, in environments of their own: one span a request, or none of ours."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.environments import build_wheel, make_environment
from tests.parts import Part, eventually, free_port, http_ready, start
from tests.sdk.run import endpoint, get
from tests.sdk.sink import Sink, running_sink

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

APP = """
import os
if os.environ.get("PROVIDER"):
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    trace.set_tracer_provider(TracerProvider())

import otel_kit
otel_kit.init(service="ours")

from fastapi import FastAPI

app = FastAPI()
if os.environ.get("AGAIN"):
    otel_kit.init(service="ours")
    otel_kit.init(service="other")


@app.get("/orders/{number}")
def order(number: int) -> int:
    return number
"""
REQUESTS = 3
DD = {"DD_TRACE_AGENT_URL": "http://127.0.0.1:1", "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false"}
OTLP = {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"{build_wheel(tmp_path_factory.mktemp('wheel'))}[fastapi,grpc]"


@pytest.fixture(scope="module")
def ddtrace(wheel: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of commands of an environment with ddtrace."""
    return make_environment(tmp_path_factory.mktemp("ddtrace"), wheel, "uvicorn", "ddtrace").parent


@pytest.fixture(scope="module")
def distro(wheel: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with OpenTelemetry's distribution, which sets providers."""
    folder = tmp_path_factory.mktemp("distro")
    theirs = ("opentelemetry-distro", "opentelemetry-exporter-otlp-proto-http")
    return make_environment(folder, wheel, "uvicorn", *theirs).parent


@pytest.fixture
def sink() -> Iterator[Sink]:
    with running_sink() as running:
        yield running


@contextlib.contextmanager
def served(sink: Sink, folder: Path, *command: Path, **env: str) -> Iterator[Part]:
    """The app, which has answered some requests."""
    (folder / "app.py").write_text(APP)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    args: list[str | Path] = [*command, "app:app", "--port", str(port)]
    with start(args, ready=http_ready(f"{url}/docs"), env={**endpoint(sink), **env}, cwd=folder) as part:
        assert {get(f"{url}/orders/{number}") for number in range(REQUESTS)} == {200}
        yield part


def told(part: Part) -> list[str]:
    """What otel-kit has said but for its last line, and for variables of ddtrace."""
    lines = [json.loads(line) for line in part.output().splitlines() if line.startswith("{")]
    said = [line["message"] for line in lines if line["logger.name"] == "otel_kit"]
    usual = ("at the end flushed", "DD_TRACE_AGENT_URL: of no effect")
    return [message for message in said if not any(part in message for part in usual)]


def orders(sink: Sink) -> list[tuple[str, object]]:
    """The requests that arrived as spans, and by whose pipeline."""
    return [
        (span.name, span.resource["service.name"])
        for span in sink.seen.server_spans()
        if "orders" in span.name
    ]


@pytest.mark.parametrize("otel", ["false", "true"])
def test_ddtrace_run_keeps_its_process(otel: str, ddtrace: Path, sink: Sink, tmp_path: Path) -> None:
    launched = (ddtrace / "ddtrace-run", ddtrace / "uvicorn")
    with served(sink, tmp_path, *launched, DD_TRACE_OTEL_ENABLED=otel, **DD) as part:
        part.terminate()
        (sentence,) = told(part)
        assert sentence.startswith("otel-kit: telemetry is off: ddtrace already instruments this process")
    assert not sink.seen.headers


def test_opentelemetry_instrument_keeps_its_process(distro: Path, sink: Sink, tmp_path: Path) -> None:
    launched = (distro / "opentelemetry-instrument", distro / "uvicorn")
    quick = {"OTEL_BSP_SCHEDULE_DELAY": "200"}
    env = {**OTLP, **quick, "OTEL_SERVICE_NAME": "theirs"}
    with served(sink, tmp_path, *launched, **env) as part:
        eventually(lambda: len(orders(sink)) >= REQUESTS, what="spans of theirs")
        part.terminate()
        (sentence,) = told(part)
        assert "TracerProvider was already set by other code (opentelemetry-instrument?)" in sentence
    assert orders(sink) == [("GET /orders/{number}", "theirs")] * REQUESTS


def test_a_provider_before_init_keeps_the_process(distro: Path, sink: Sink, tmp_path: Path) -> None:
    with served(sink, tmp_path, distro / "uvicorn", PROVIDER="1") as part:
        part.terminate()
        (sentence,) = told(part)
        assert "TracerProvider was already set by other code" in sentence
    assert not sink.seen.headers


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        ({"FASTAPI_OTEL_AUTO_CONFIGURE": "true"}, "FASTAPI_OTEL_AUTO_CONFIGURE"),
        ({"AGAIN": "1"}, "init(service=...) comes too late"),
    ],
)
def test_what_comes_after_init_doubles_nothing(
    env: dict[str, str], sentence: str, distro: Path, sink: Sink, tmp_path: Path
) -> None:
    with served(sink, tmp_path, distro / "uvicorn", **OTLP, **env) as part:
        part.terminate()
        (said,) = told(part)
        assert sentence in said
    assert orders(sink) == [("GET /orders/{number}", "ours")] * REQUESTS


PATCHED = "import ddtrace, otel_kit; ddtrace.patch(logging=True); init = otel_kit.init"


@pytest.mark.parametrize(
    ("code", "enabled", "sentence"),
    [
        ("import ddtrace.auto, otel_kit; init = otel_kit.init", False, "off: ddtrace already instruments"),
        (PATCHED, False, "off: ddtrace has already patched logging"),
        ("import ddtrace, otel_kit; init = otel_kit.init", True, ""),
        (
            "import otel_kit; init = otel_kit.init; init(service='s'); import ddtrace.auto",
            True,
            "ddtrace was imported after init()",
        ),
    ],
)
def test_ddtrace_by_code(
    code: str, enabled: bool, sentence: str, ddtrace: Path, sink: Sink, tmp_path: Path
) -> None:
    code = f"{code}; assert init(service='s').enabled is {enabled}"
    with start([ddtrace / "python", "-c", code], env={**endpoint(sink), **DD}, cwd=tmp_path) as part:
        assert part.wait() == 0, part.output()
        assert len(told(part)) == bool(sentence)
        assert all(sentence in said for said in told(part))

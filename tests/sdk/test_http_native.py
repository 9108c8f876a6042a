"""FastAPI records requests itself where there is a global provider: only if the service asked for it."""

from __future__ import annotations

import sys

import pytest

from tests.parts import eventually, free_port, http_ready, start
from tests.sdk.run import UVICORN, endpoint, get, web
from tests.sdk.sink import running_sink

OWN = """
import sys
import otel_kit, uvicorn
from fastapi import FastAPI
otel_kit.init()
app = FastAPI(telemetry={"operation_spans": False})

@app.get("/orders/{number}")
def order(number: int) -> int:
    return number

@app.get("/healthz")
def healthz() -> int:
    return 1

uvicorn.run(app, port=int(sys.argv[1]))
"""


@pytest.mark.parametrize(
    "env",
    [{"OTEL_KIT_INSTRUMENT": "none"}, {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "fastapi"}],
    ids=["none", "all but fastapi"],
)
def test_no_server_spans_are_none(env: dict[str, str]) -> None:
    with running_sink() as sink, web(sink, *UVICORN, env=env) as (part, url):
        traceparent = f"00-{'a' * 32}-{'b' * 16}-01"
        assert get(f"{url}/orders/7", traceparent=traceparent) == 200
        assert get(f"{url}/healthz") == 200
        part.terminate()
        assert part.wait() is not None
    assert sink.seen.spans == []
    assert sink.seen.named("http.server.request.duration") == []
    assert "order 7" in sink.seen.bodies()


def test_a_service_that_asks_for_it_has_it() -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with running_sink() as sink:
        env = {**endpoint(sink), "OTEL_KIT_INSTRUMENT": "none"}
        command = [sys.executable, "-c", OWN, str(port)]
        with start(command, ready=http_ready(f"{url}/healthz"), env=env) as part:
            assert get(f"{url}/orders/7") == 200
            part.terminate()
            part.wait()
        eventually(lambda: sink.seen.server_spans(), what="the span of the request")
    assert "GET /orders/{number}" in {span.name for span in sink.seen.server_spans()}

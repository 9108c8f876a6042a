"""SIGTERM right after 20 requests, whatever runs the application: nothing is lost or counted twice."""

from __future__ import annotations

from collections import Counter

import pytest

from otel_kit.conventions import HTTP_SERVER_DURATION
from tests.parts import eventually
from tests.sdk.run import GUNICORN, UVICORN, get, lines, web
from tests.sdk.sink import running_sink

SERVERS = {
    "uvicorn": (UVICORN, {}),
    "uvicorn.run(app)": (("-m", "tests.sdk.apps.web"), {}),
    "uvicorn.run(string)": (("-m", "tests.sdk.apps.web"), {"RUN": "string"}),
    "uvicorn --workers": ((*UVICORN, "--workers", "2"), {}),
    "gunicorn": (GUNICORN, {}),
    "gunicorn --preload": ((*GUNICORN, "--preload"), {}),
    "contrib instruments as well": (UVICORN, {"SELF": "contrib"}),
}


@pytest.mark.parametrize("server", SERVERS)
def test_sigterm_after_20_requests_loses_nothing(server: str) -> None:
    command, env = SERVERS[server]
    workers = 2 if "workers" in server or "gunicorn" in server else 1
    with (
        running_sink() as sink,
        web(sink, *command, env=env, port_option=command[1] != "tests.sdk.apps.web") as (part, url),
    ):
        started = "Application startup complete."
        eventually(lambda: part.output().count(started) == workers, what="all workers")
        assert {get(f"{url}/orders/{number}") for number in range(20)} == {200}
        code = part.terminate()
        written = lines(part)
    seen = sink.seen

    assert code == (0 if workers == 2 else -15)  # what these servers do without us
    assert [span.name for span in seen.spans] == ["GET /orders/{number}"] * 20
    assert seen.total(HTTP_SERVER_DURATION) == 20
    assert {point.temporality for point in seen.named(HTTP_SERVER_DURATION)} == {1}

    # Each line once, on stdout and by OTLP, with its request's trace; also what the server says at the end.
    spans = {(span.trace_id, span.span_id) for span in seen.spans}
    orders = [line for line in written if line["message"].startswith("order ")]
    assert Counter(line["message"] for line in orders) == Counter(f"order {n}" for n in range(20))
    assert {(line["trace_id"], line["span_id"]) for line in orders} == spans
    assert {(log.trace_id, log.span_id) for log in seen.logs if log.scope == "shop"} == spans
    access = [line for line in written if "/orders/" in line["message"] and line["logger.name"] != "shop"]
    assert len(access) == 20
    assert {(line["trace_id"], line["span_id"]) for line in access} == spans
    told = Counter(line["message"] for line in written if not line["logger.name"].startswith("otel_kit"))
    assert told == Counter(seen.bodies())
    assert told["Application shutdown complete."] == workers

    # Two writers never share a series.
    writers = {log.resource["service.instance.id"] for log in seen.logs if log.body == started}
    assert len(writers) == workers
    assert all(log.resource["service.name"] == "web" for log in seen.logs)

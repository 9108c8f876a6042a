"""Access lines of real servers: those of probes that are well are left out, and what nobody wants."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.parts import eventually, free_port, http_ready, start
from tests.sdk.run import endpoint, get, lines
from tests.sdk.sink import running_sink

WEB, WSGI = "tests.sdk.apps.web:app", "tests.sdk.apps.wsgi:app"
GUNICORN = ("gunicorn", "-b", "127.0.0.1:{port}", "--no-control-socket", "--access-logfile", "-")
SERVERS = {
    "uvicorn": ["uvicorn", WEB, "--port", "{port}"],
    "uvicorn h11": ["uvicorn", WEB, "--port", "{port}", "--http", "h11"],
    "uvicorn --root-path": ["uvicorn", WEB, "--port", "{port}", "--root-path", "/api"],
    "hypercorn": ["hypercorn", WEB, "-b", "127.0.0.1:{port}", "--access-logfile", "-"],
    "gunicorn asgi": [*GUNICORN, WEB, "-k", "uvicorn_worker.UvicornWorker"],
    "gunicorn wsgi": [*GUNICORN, WSGI],
}


@pytest.mark.parametrize(
    "server",
    [
        pytest.param(name, marks=pytest.mark.slow) if name in ("uvicorn h11", "gunicorn asgi") else name
        for name in SERVERS
    ],
)
def test_probes_that_are_well_leave_no_line(server: str) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", *(word.format(port=port) for word in SERVERS[server])]
    routes = {"OTEL_KIT_HEALTH_ROUTES": "/healthz,/refused/503,/refused/404"}
    with running_sink() as sink:
        with start(command, ready=http_ready(f"{url}/healthz"), env={**endpoint(sink), **routes}) as part:
            asked = ["/healthz?full=1", "/refused/503", "/refused/404", "/healthzcare", "/refused/418"]
            for path in asked:
                get(url + path)
            eventually(lambda: "418" in part.output())
            part.terminate()
            written = [one["message"] for one in lines(part) if one["logger.name"].endswith(".access")]
            plain = [one for one in part.output().splitlines() if " HTTP/1.1" in one and one[0] != "{"]
        sent = [str(one.body) for one in sink.seen.logs if one.scope.endswith(".access")]
    assert written == sent
    shown = [next(path for path in asked[1:] if f"{path} " in message) for message in written]
    assert shown == asked[1:]
    assert plain == []


def test_a_file_of_the_service_gets_all(tmp_path: Path) -> None:
    port, file = free_port(), tmp_path / "access.log"
    command = [sys.executable, "-m", "gunicorn", WSGI, "-b", f"127.0.0.1:{port}", "--no-control-socket"]
    env = {"OTEL_KIT_LOGS": "stdout"}
    ready = http_ready(f"http://127.0.0.1:{port}/healthz")
    with start([*command, "--access-logfile", file], ready=ready, env=env) as part:
        eventually(lambda: "/healthz" in file.read_text())
        part.terminate()
        assert "gunicorn.access" not in part.output()


def test_a_server_without_access_lines_has_none() -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "uvicorn", WEB, "--port", str(port), "--no-access-log"]
    with start(command, ready=http_ready(f"{url}/healthzcare"), env={"OTEL_KIT_LOGS": "stdout"}) as part:
        get(f"{url}/orders/1")
        part.terminate()
        said = lines(part)
    assert {one["logger.name"] for one in said} >= {"shop", "uvicorn.error"}
    assert [one for one in said if one["logger.name"] == "uvicorn.access"] == []

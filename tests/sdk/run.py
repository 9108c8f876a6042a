"""Starts the services of `tests/sdk/apps` beside a sink."""

from __future__ import annotations

import contextlib
import json
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

from tests.parts import Part, eventually, free_port, http_ready, start
from tests.sdk.sink import Sink

GUNICORN = ("-m", "gunicorn", "tests.sdk.apps.web:app", "-w", "2", "-k", "uvicorn_worker.UvicornWorker")
UVICORN = ("-m", "uvicorn", "tests.sdk.apps.web:app")


def endpoint(sink: Sink) -> dict[str, str]:
    """Environment that points a process at the sink; without what it would say about itself."""
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": sink.url, "OTEL_KIT_RUNTIME_METRICS": "false"}


def script(mode: str, env: Mapping[str, str]) -> contextlib.AbstractContextManager[Part]:
    """`tests/sdk/apps/script.py`, ending by `mode`."""
    return start([sys.executable, "-m", "tests.sdk.apps.script", mode], env=env)


def ready(part: Part) -> None:
    """Wait until a script says that it is ready."""
    eventually(lambda: "ready" in part.output(), every=0.02, what="ready")


@contextlib.contextmanager
def web(
    sink: Sink, *command: str, env: Mapping[str, str] | None = None, port_option: bool = True
) -> Iterator[tuple[Part, str]]:
    """`tests/sdk/apps/web.py` by a command of Python; the process and its URL."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    bind = ["--port", str(port)]
    if "gunicorn" in command or "hypercorn" in command:
        bind = ["-b", f"127.0.0.1:{port}"] + ["--no-control-socket"] * ("gunicorn" in command)
    args = [sys.executable, *command, *(bind if port_option else [])]
    settings = {**endpoint(sink), "PORT": str(port), **(env or {})}
    with start(args, ready=http_ready(f"{url}/healthz"), env=settings) as part:
        yield part, url


def get(url: str, *, method: str = "GET", **headers: str) -> int:
    """The status of one request; `a_b` is sent as the header ``a-b``."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=named, method=method)) as answer:
            answer.read()
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def lines(part: Part) -> list[dict[str, Any]]:
    """The JSON lines that a process has written; lines of other kinds are left out."""
    return [json.loads(line) for line in part.output().splitlines() if line.startswith("{")]

"""A stand-in as a real process, and how to talk to it."""

from __future__ import annotations

import contextlib
import json
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from typing import Any

from tests.parts import Part, free_port, http_ready, start

KEYS = {"DD-API-KEY": "any", "DD-APPLICATION-KEY": "any"}


@dataclass(frozen=True, slots=True)
class Dev:
    """A running stand-in."""

    url: str
    part: Part

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] = KEYS,
    ) -> tuple[int, Any, dict[str, str]]:
        """Status, decoded body and headers of a request; `body` is JSON unless it is bytes."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.url}{path}",
            data=data,
            method=method,
            headers={"Content-Type": "application/json", **headers},
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, _decoded(answer.read()), _headers(answer.headers)
        except urllib.error.HTTPError as error:
            return error.code, _decoded(error.read()), _headers(error.headers)

    def get(self, path: str) -> Any:
        """The JSON of a GET that must succeed."""
        status, body, _ = self.ask("GET", path)
        assert status == 200, (path, status, body)
        return body


def _headers(message: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in message.items()}


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return body


@contextlib.contextmanager
def running(*options: str, port: int | None = None) -> Iterator[Dev]:
    """`otel-kit dev` on a free port."""
    port = port or free_port()
    url = f"http://127.0.0.1:{port}"
    args: Sequence[str] = [sys.executable, "-m", "otel_kit.cli", "dev", "--port", str(port), *options]
    with start(args, ready=http_ready(f"{url}/dev/health")) as part:
        yield Dev(url, part)


def send(dev: Dev, signal: str, body: Any, **headers: str) -> tuple[int, Any]:
    extra = {name.replace("_", "-"): value for name, value in headers.items()}
    status, answer, _ = dev.ask("POST", f"/v1/{signal}", body, headers={"dd-api-key": "any", **extra})
    return status, answer


def series(dev: Dev, metric: str) -> dict[frozenset[str], list[Any]]:
    return {frozenset(s["tags"]): s["points"] for s in dev.get(f"/dev/api/series?metric={metric}")}


def losses(dev: Dev) -> dict[tuple[str, str], int]:
    return {(x["signal"], x["reason"]): x["count"] for x in dev.get("/dev/api/losses")}

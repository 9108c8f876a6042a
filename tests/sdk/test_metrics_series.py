"""No caller can make series: whatever it sends, the metrics of a server have a bounded number of them."""

from __future__ import annotations

import contextlib
import random
import socket
import sys
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from tests.parts import free_port, port_ready, start
from tests.sdk.run import UVICORN, endpoint, web
from tests.sdk.sink import Seen, running_sink

REQUESTS = 300


def series(seen: Seen, prefix: str) -> dict[str, set[tuple[Any, ...]]]:
    """Name of a metric -> its attribute sets."""
    found: dict[str, set[tuple[Any, ...]]] = {}
    for p in seen.points:
        if p.name.startswith(prefix):
            found.setdefault(p.name, set()).add(tuple(sorted((k, str(v)) for k, v in p.attributes.items())))
    return found


def hostile_request(chance: random.Random) -> bytes:
    """A request of which every part is made up."""
    word = f"{chance.getrandbits(48):x}"
    method = chance.choice(["GET", "POST", f"M{word}", word.upper()])
    path = chance.choice(["/", "/orders/", "/orders/7?q=", "/%2e%2e/", "/admin/"]) + word
    trace = f"{chance.getrandbits(128):032x}-{chance.getrandbits(64):016x}"
    headers = {
        "host": f"{word}.example.org:{chance.randrange(1, 65536)}",
        "user-agent": word,
        "x-forwarded-host": word,
        "x-forwarded-proto": word,
        "x-forwarded-for": f"10.0.0.{chance.randrange(255)}",
        "forwarded": f"for=1.2.3.4;host={word};proto={word}",
        "x-http-method-override": word,
        "traceparent": f"00-{trace}-0{chance.randrange(4)}",
        "tracestate": f"{word}={word}",
        "baggage": f"{word}={word},tenant={word}",
        "content-type": word,
    }
    lines = [f"{method} {path} HTTP/1.{chance.randrange(2)}", *(f"{k}: {v}" for k, v in headers.items())]
    return ("\r\n".join(lines) + "\r\nconnection: close\r\n\r\n").encode()


def send(port: int, request: bytes) -> None:
    """Send it, and wait for the end of the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client, contextlib.suppress(OSError):
        client.sendall(request)
        while client.recv(65536):
            pass


def test_hostile_requests_make_no_series() -> None:
    chance = random.Random(7)
    with running_sink() as sink:
        with web(sink, *UVICORN) as (part, url):
            for _ in range(REQUESTS):
                send(int(url.rpartition(":")[2]), hostile_request(chance))
            part.terminate()
        seen = sink.seen
    assert seen.total("http.server.request.duration") >= REQUESTS
    found = series(seen, "http.")
    # Methods (GET, POST, _OTHER) by routes by statuses, and of a size by the same.
    assert {name: len(sets) for name, sets in found.items() if len(sets) > 40} == {}
    keys = {key for sets in found.values() for one in sets for key, _ in one}
    assert keys <= {
        "http.request.method",
        "http.route",
        "http.response.status_code",
        "error.type",
        "url.scheme",
        "network.protocol.name",
        "network.protocol.version",
    }
    assert_few(seen)


@contextlib.contextmanager
def serving(stack: str, env: dict[str, str]) -> Iterator[tuple[Any, int]]:
    """`tests/sdk/apps/rpc_server.py` and its port."""
    port = free_port()
    args = [sys.executable, "-m", "tests.sdk.apps.rpc_server", stack]
    with start(args, env={**env, "PORT": str(port)}, ready=port_ready(port)) as part:
        yield part, port


@pytest.mark.parametrize("stack", ["sync", "aio"])
def test_hostile_names_of_methods_make_no_series(stack: str) -> None:
    chance = random.Random(7)
    with running_sink() as sink:
        with serving(stack, endpoint(sink)) as (part, port):
            channel: Any
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                for _ in range(REQUESTS):
                    word = f"{chance.getrandbits(48):x}"
                    made_up = [f"/{word}/{word}", f"/shop.Stock/{word}", f"/{word}"]
                    metadata = (("x-word", word), ("traceparent", word), ("user-agent", word))
                    with contextlib.suppress(grpc.RpcError):
                        method = chance.choice([*made_up, "/shop.Stock/Get"])
                        channel.unary_unary(method)(b"", metadata=metadata, timeout=10)
            part.terminate()
        seen = sink.seen
    found = series(seen, "rpc.")
    assert found["rpc.server.call.duration"]
    assert {name: len(sets) for name, sets in found.items() if len(sets) > 10} == {}
    assert_few(seen)


def assert_few(seen: Seen) -> None:
    """Also what the library says about itself stays the same, whatever was sent."""
    found = series(seen, "otel.")
    assert {name: len(sets) for name, sets in found.items() if len(sets) > 10} == {}

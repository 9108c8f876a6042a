"""Requests, answers and metadata at random: none is answered otherwise than without us."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import sys
from collections import Counter
from random import Random

from otel_kit.conventions import HTTP_SERVER_DURATION
from tests.parts import free_port, port_ready, start
from tests.sdk.run import UVICORN, endpoint
from tests.sdk.sink import running_sink
from tests.sdk.test_fuzz import SECRET, TIMES

PATHS = (
    "/orders/5",
    "/orders/x",
    "/plain/hello/x",
    "/healthz",
    "/boom",
    "/missing",
    "/refused/418",
    "/orders/%00",
    "//",
    "/%zz",
)


HEADERS = (
    *(
        "traceparent",
        "tracestate",
        "baggage",
        "x-cloud-trace-context",
        "x-datadog-trace-id",
        "b3",
        "host",
        "user-agent",
    ),
    *(
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-proto",
        "content-length",
        "cookie",
        "authorization",
        "x" * 5000,
    ),
)


BYTES = (
    *(
        b"",
        b" ",
        b"00",
        b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-01",
        b"00-" + b"1" * 32 + b"-" + b"2" * 16 + b"-ff",
    ),
    *(
        b"00-" + b"1" * 32 + b"-" + b"2" * 16 + b"-01",
        b"\xff\xfe",
        "\u043a".encode(),
        b"=;=,,",
        b"a=b," * 900,
        b"%00",
    ),
    *(b"x" * 30_000, b"-1", b"9" * 40, b"5", b"a:b@c:99999", b"[::1", b"<script>", b"\t"),
)


def request(random: Random) -> bytes:
    """A request as no client sends it."""
    path = random.choice(PATHS) + random.choice(
        ("", "?", "?a=b&" * 500, "?%ff=%zz", f"?token={SECRET}", "?\x7f")
    )
    method = random.choice(("GET", "GET", "POST", "HEAD", "OPTIONS", "BREW", "get"))
    parts = [f"{method} {path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n".encode()]
    for _ in range(random.randrange(5)):
        parts.append(random.choice(HEADERS).encode() + b": " + random.choice(BYTES) + b"\r\n")
    return b"".join(parts) + b"\r\n"


def answer(port: int, data: bytes) -> bytes:
    """All that the server answers, without its clock."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(data)
        got = bytearray()
        with contextlib.suppress(ConnectionError):
            while piece := connection.recv(65_536):
                got += piece
    return re.sub(rb"date: [^\r]*\r\n", b"", bytes(got))


def test_any_request_is_answered_as_without_us() -> None:
    random = Random(TIMES)
    requests = [request(random) for _ in range(100 * TIMES)]
    ports = free_port(), free_port()
    with running_sink() as sink, contextlib.ExitStack() as stack:
        parts = []
        for port, more in zip(ports, ({}, {"OTEL_KIT_DISABLED": "true"}), strict=True):
            more["OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST"] = ".*"
            more["PYTHONHASHSEED"] = "0"  # for the order of methods in an answer
            command = [sys.executable, *UVICORN, "--port", str(port)]
            parts.append(
                stack.enter_context(start(command, ready=port_ready(port), env={**endpoint(sink), **more}))
            )
        served = 0
        for data in requests:
            ours, bare = (answer(port, data) for port in ports)
            assert ours == bare, data
            refused = b"Invalid HTTP request" in bare or not bare
            served += not refused and b" /healthz" not in data[:20]
        assert parts[0].terminate() == -15
        output = parts[0].output()
        seen = sink.seen
    assert served > 30
    assert len(seen.server_spans()) == served == seen.total(HTTP_SERVER_DURATION)
    assert SECRET not in str(seen.spans)
    assert "otel-kit: fault" not in output


def test_any_metadata_is_answered_as_without_us() -> None:
    command = [sys.executable, "-m", "tests.sdk.apps.fuzz_rpc", str(TIMES)]
    with running_sink() as sink, contextlib.ExitStack() as stack:
        env = {**endpoint(sink), "ROUNDS": str(200 * TIMES)}
        parts = [
            stack.enter_context(start(command, env={**env, **more}))
            for more in ({}, {"OTEL_KIT_DISABLED": "1"})
        ]
        assert [part.wait(timeout=120) for part in parts] == [0, 0], parts[0].output()[-3000:]
        outputs = [part.output() for part in parts]
        seen = sink.seen
    ours, bare = (
        next(json.loads(line)["results"] for line in output.splitlines() if line.startswith('{"results"'))
        for output in outputs
    )
    assert ours == bare
    assert len(set(bare)) > 4
    answered = Counter(bare)
    served = [span for span in seen.server_spans() if span.name == "shop.Stock/Get"]
    assert len(served) == answered["b'x'"] + answered["b'y'"] > 50
    assert outputs[0].count("otel-kit: fault") <= 1  # metadata that is no sequence; gRPC says so, too

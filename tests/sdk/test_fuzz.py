"""Bad input of every kind: an item that is dropped and counted, or one clear line; no error, no silence.

``OTEL_KIT_FUZZ=100`` runs a hundred times as much as usual, with other seeds.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import sys
from collections import Counter
from random import Random

import pytest

from otel_kit.conventions import HTTP_SERVER_DURATION
from otel_kit.sdk.config import settings, unreadable
from otel_kit.sdk.config.arguments import Arguments
from tests.parts import free_port, port_ready, start
from tests.sdk.run import UVICORN, endpoint, lines
from tests.sdk.sink import Seen, running_sink

TIMES = int(os.environ.get("OTEL_KIT_FUZZ", "1"))
SECRET = "hunter2"
VALUES = (
    *(
        "",
        " ",
        "0",
        "-1",
        "1",
        "1.5",
        "1e999",
        "nan",
        "inf",
        "9" * 40,
        "0x10",
        "\uff11\uff12",
        "true",
        "FALSE",
        "maybe",
    ),
    *(
        "=",
        "=;=,,=",
        ",",
        "a=b",
        "a=b=c,d",
        "%",
        "%zz=%00",
        "a:b,c:d",
        f"password={SECRET}",
        "none",
        "*",
        "otlp,none",
    ),
    *(
        "http://",
        "http://[",
        "://x",
        f"https://user:{SECRET}@host:99999/x",
        "http://127.0.0.1:1",
        "localhost",
        "/",
    ),
    *(
        "/dev/null",
        "../../etc/passwd",
        "grpc",
        "http/protobuf",
        "(((",
        "[a-",
        "a{99999}",
        "\\",
        "\n",
        "a\r\nX: y",
    ),
    *(
        "route:@@;",
        "route:/x@2; name:*@nan",
        "*@0.5",
        "link",
        "header:x@",
        "peer:999.0.0.0/99@all",
        "b3,xray,nope",
    ),
    *(
        "x" * 20_000,
        "\U0001f4a5",
        "\udcff",
        "{}",
        "parentbased_traceidratio",
        "always_off",
        "allow-list",
        "10/s",
        "=10/x",
    ),
)


def variables() -> list[str]:
    """All variables of the table of settings, those that are written in short as well."""
    named = re.findall(
        r"\b(?:OTEL|DD|K8S|POD|MY|GOOGLE|GCP|NODE|HOST|CONTAINER|CLUSTER|GCLOUD)_[A-Z_0-9]+",
        settings.__doc__ or "",
    )
    shapes = (
        "ENDPOINT",
        "PROTOCOL",
        "HEADERS",
        "TIMEOUT",
        "COMPRESSION",
        "CERTIFICATE",
        "CLIENT_KEY",
        "INSECURE",
    )
    signals = ("TRACES", "METRICS", "LOGS")
    more = [f"OTEL_EXPORTER_OTLP_{signal}_{shape}" for signal in signals for shape in shapes]
    more += [f"OTEL_{signal}_EXPORTER" for signal in signals] + [f"OTEL_KIT_{signal}" for signal in signals]
    return sorted(
        {name for name in [*named, *more, *unreadable.LIMITS, "OTEL_TRACES_SAMPLER_ARG"] if name[-1] != "_"}
    )


def environment(random: Random) -> dict[str, str]:
    """Some variables with hostile values."""
    names = variables()
    return {
        name: random.choice(VALUES) for name in random.sample(names, random.choice((1, 5, 30, len(names))))
    }


def test_any_environment_gives_settings() -> None:
    assert len(variables()) > 100
    random = Random(TIMES)
    alone = [
        {name: value} for name in variables() for value in random.sample(VALUES, min(6 * TIMES, len(VALUES)))
    ]
    for environ in [*alone, *(environment(random) for _ in range(60 * TIMES))]:
        found = settings.resolve(Arguments(), environ, host="host")
        for problem in found.problems:
            assert "\n" not in problem, environ
            assert len(problem) < 1000, environ
            named = problem.partition("=")[0]  # what shows its value never holds a secret, by its purpose
            assert SECRET not in problem or not re.search(
                "ENDPOINT|HEADER|HOST|_IP|ATTRIBUTES|TAGS", named
            ), environ
        assert 0 <= found.shutdown_timeout < 1e6, environ
        assert 1 <= found.metric_interval < 1e6, environ


def test_a_service_starts_and_ends_in_any_environment() -> None:
    with contextlib.ExitStack() as stack:
        parts = []
        for number in range(4 * TIMES):
            environ = environment(Random(f"process {TIMES} {number}"))
            environ = {name: value for name, value in environ.items() if "\0" not in value}
            fixed = {"OTEL_KIT_SHUTDOWN_TIMEOUT": "0.3", "COUNT": "5"}
            command = [sys.executable, "-m", "tests.sdk.apps.script", "exit"]
            parts.append((environ, stack.enter_context(start(command, env={**environ, **fixed}))))
            if len(parts) % 4 == 0:
                assert [part.wait() for _, part in parts[-4:]] == [3] * 4, [
                    p.output()[-2000:] for _, p in parts[-4:]
                ]
        for environ, part in parts:
            assert "Traceback" not in part.output(), (environ, part.output())
            secrets = [name for name, value in environ.items() if SECRET in value and name in part.output()]
            assert SECRET not in part.output() or secrets, environ


def count(seen: Seen, item: str) -> Counter[str]:
    """How many items the process says that it has delivered ("") and lost, by the reason."""
    found: Counter[str] = Counter()
    for name in (f"otel.sdk.exporter.{item}.exported", f"otel.sdk.processor.{item}.processed"):
        for point in seen.named(name):
            found[point.attributes.get("error.type", "")] += int(point.value)
    return found


@pytest.mark.parametrize("seed", range(TIMES))
def test_whatever_the_api_is_given_is_delivered_or_counted(seed: int) -> None:
    with running_sink() as sink:
        command = [
            sys.executable,
            "-m",
            "tests.sdk.apps.fuzz",
            str(seed if TIMES == 1 else seed + 1000 * TIMES),
        ]
        with start(command, env=endpoint(sink)) as part:
            assert part.wait(timeout=120) == 0, part.output()[-3000:]
            output = part.output()
        seen = sink.seen
    result = next(json.loads(line) for line in output.splitlines() if line.startswith('{"made"'))
    made, spans, logs = result["made"], count(seen, "span"), count(seen, "log")
    assert result["raised"] == {}
    assert made["spans"] > 100
    assert spans.total() == made["spans"]
    assert spans[""] == len(seen.spans) > made["spans"] // 3
    assert logs.total() == made["logs"]
    assert logs[""] == len(seen.logs) > made["logs"] * 0.9
    assert seen.total("fuzz.count") == made["measurements"]
    assert count(seen, "metric_data_point")["invalid_measurement"] > 50
    own = [line["message"] for line in lines_of(output) if line["logger.name"] == "otel_kit"]
    assert Counter("fault" in line for line in own)[True] <= 2
    assert len(own) < 120
    assert max(Counter(own).values()) == 1


def lines_of(output: str) -> list[dict[str, str]]:
    """The JSON lines of log records."""
    return [
        one
        for line in output.splitlines()
        if line.startswith("{") and "logger.name" in (one := json.loads(line))
    ]


def test_huge_items_take_no_small_ones_with_them() -> None:
    with running_sink() as sink:
        with start([sys.executable, "-m", "tests.sdk.apps.fuzz_sizes"], env=endpoint(sink)) as part:
            assert part.wait(timeout=100) == 0, part.output()[-3000:]
            said = [line["message"] for line in lines(part) if line["logger.name"] == "otel_kit"]
        seen = sink.seen
    small = {f"small {number}" for number in range(10)}
    assert small <= {span.name for span in seen.spans}
    assert small <= set(seen.bodies())
    assert seen.total("sizes.count") == 10
    for item, arrived, made in (("span", len(seen.spans), 15), ("log", len(seen.logs), 13)):
        counted = count(seen, item)
        assert counted[""] == arrived
        assert counted.total() == made, (item, counted)
    assert len(said) < 10


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

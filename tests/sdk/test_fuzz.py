"""Bad input of every kind: an item that is dropped and counted, or one clear line; no error, no silence.

``OTEL_KIT_FUZZ=100`` runs a hundred times as much as usual, with other seeds.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
from collections import Counter
from random import Random

import pytest

from otel_kit.sdk.config import settings, unreadable
from otel_kit.sdk.config.arguments import Arguments
from tests.parts import start
from tests.sdk.run import endpoint, lines
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

"""Whatever fails around our recording of gRPC: the service notices nothing, nothing is held or left open."""

from __future__ import annotations

import functools
import sys
from collections import Counter

import pytest

from tests.parts import start
from tests.sdk.run import endpoint
from tests.sdk.sink import Seen, running_sink

SERVER, CLIENT = 2, 3
RESULTS = ("aio ", "future ", "many ", "one ", "unknown ", "kept: ")
LINES = """
aio many NOT_FOUND: 20
aio many UNKNOWN: 20
aio many [b'fine']: 20
aio one NOT_FOUND: 20
aio one UNKNOWN: 20
aio one b'fine': 20
future b'fine': 20
many NOT_FOUND: 20
many UNKNOWN: 20
many [b'fine']: 20
one NOT_FOUND: 20
one UNKNOWN: 20
one b'fine': 20
unknown UNIMPLEMENTED: 20
kept: 0
"""


@functools.cache
def run(how: str) -> tuple[str, Seen]:
    """What `tests/sdk/apps/rpc_faults.py` writes, and what arrives of it."""
    with running_sink() as sink:
        with start([sys.executable, "-m", "tests.sdk.apps.rpc_faults", how], env=endpoint(sink)) as part:
            assert part.wait() == 0, part.output()
            output = part.output()
        return output, sink.seen


def codes(seen: Seen, kind: int, method: str) -> Counter[str]:
    """How often a method ended in which way."""
    return Counter(
        span.attributes["rpc.response.status_code"]
        for span in seen.spans
        if span.kind == kind and span.name == f"shop.Stock/{method}"
    )


@pytest.mark.parametrize("how", ["nothing", "propagator", "processor", "hooks", "names"])
def test_the_service_notices_nothing(how: str) -> None:
    output, seen = run(how)
    lines = [line for line in output.splitlines() if line.startswith(RESULTS)]
    assert lines == LINES.strip().splitlines()
    # Streams are cancelled, and so some of the calls that have not even begun to be served.
    expected = {"OK": 40, "NOT_FOUND": 40, "UNKNOWN": 40, "CANCELLED": 40}
    assert codes(seen, SERVER, "Many") == expected
    assert codes(seen, CLIENT, "Many") == expected
    one = codes(seen, CLIENT, "One")
    aio_unary_calls = 0 if how == "names" else 4 * 20
    assert sum(one.values()) == 5 * 20 + aio_unary_calls
    assert one["UNKNOWN"] == one["NOT_FOUND"] == (20 if how == "names" else 40)
    faults = [line for line in output.splitlines() if "otel-kit: fault" in line]
    assert len(faults) == (how in ("propagator", "processor", "hooks"))


def test_a_version_of_grpc_with_other_names_is_told_once() -> None:
    output, _ = run("names")
    told = [line for line in output.splitlines() if "grpcio is not known" in line]
    assert len(told) == 1
    assert "grpc._channel._SingleThreadedUnaryStreamMultiCallable.__call__" in told[0]
    assert "grpc.aio._call.UnaryUnaryCall.__init__" in told[0]
    assert "StreamStreamCall" not in told[0]


def test_nothing_is_told_of_this_version_of_grpc() -> None:
    output, seen = run("nothing")
    assert len(seen.spans) > 500
    assert "not known" not in output
    assert "otel-kit: fault" not in output

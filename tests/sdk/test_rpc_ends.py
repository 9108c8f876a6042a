"""Ends of gRPC calls that nobody means: the caller sees what gRPC makes of them, the span what happened."""

from __future__ import annotations

import sys

import pytest

from tests.parts import start
from tests.sdk.apps.rpc_ends import INVENTED
from tests.sdk.run import endpoint
from tests.sdk.sink import Seen, running_sink

SERVER, CLIENT = 2, 3
LINES = """
sync down_called UNKNOWN
sync down_exit CANCELLED
sync down_none [b'one']
sync exit FutureCancelledError
sync nothing INTERNAL
sync number UNKNOWN
sync own_cancel FutureCancelledError
sync refused_by_error NOT_FOUND
aio down_both [b'written', b'yielded']
aio down_plain_list [b'one', b'two']
aio down_plain_wrong UNKNOWN
aio down_swallowed ALREADY_EXISTS
aio down_write [b'better']
aio number NOT_FOUND
aio own_cancel CancelledError
aio plain_left CancelledError
aio plain_wrong UNKNOWN
aio refused_by_error NOT_FOUND
aio wrong UNKNOWN
aio never_made ExecuteBatchError
"""
#: Python 3.10 does not tell whether a task was cancelled from outside.
OWN_CANCEL = ("UNKNOWN", 2, ["asyncio.exceptions.CancelledError"])
#: Method -> code, span status, and types of the exceptions, of the server's span.
SERVED = {
    "ends.Sync/down_called": ("UNKNOWN", 2, ["ValueError"]),
    "ends.Sync/down_exit": ("UNKNOWN", 2, ["GeneratorExit"]),
    "ends.Sync/down_none": ("OK", 0, []),
    "ends.Sync/exit": ("UNKNOWN", 2, ["SystemExit"]),
    "ends.Sync/nothing": ("INTERNAL", 2, []),
    "ends.Sync/number": ("UNKNOWN", 2, []),
    "ends.Sync/own_cancel": OWN_CANCEL,
    "ends.Sync/refused_by_error": ("NOT_FOUND", 0, ["LookupError"]),
    "ends.Aio/down_both": ("OK", 0, []),
    "ends.Aio/down_plain_list": ("OK", 0, []),
    "ends.Aio/down_plain_wrong": ("UNKNOWN", 2, []),
    "ends.Aio/down_swallowed": ("ALREADY_EXISTS", 0, []),
    "ends.Aio/down_write": ("OK", 0, []),
    "ends.Aio/number": ("NOT_FOUND", 0, []),
    "ends.Aio/own_cancel": OWN_CANCEL if sys.version_info >= (3, 11) else ("CANCELLED", 0, []),
    "ends.Aio/plain_left": ("CANCELLED", 0, []),
    "ends.Aio/plain_wrong": ("UNKNOWN", 2, []),
    "ends.Aio/refused_by_error": ("NOT_FOUND", 0, ["LookupError"]),
    "ends.Aio/wrong": ("UNKNOWN", 2, []),
}


@pytest.fixture(scope="module")
def run() -> tuple[list[str], Seen]:
    """What `tests/sdk/apps/rpc_ends.py` prints, and what arrives of it."""
    with running_sink() as sink:
        with start([sys.executable, "-m", "tests.sdk.apps.rpc_ends"], env=endpoint(sink)) as part:
            assert part.wait() == 0, part.output()
            lines = part.output().splitlines()
        return [line for line in lines if line.startswith(("sync ", "aio "))], sink.seen


def test_the_caller_sees_what_grpc_makes_of_it(run: tuple[list[str], Seen]) -> None:
    assert run[0] == LINES.strip().splitlines()


def test_server(run: tuple[list[str], Seen]) -> None:
    found = {
        span.name: (
            span.attributes["rpc.response.status_code"],
            span.status,
            [event[1]["exception.type"] for event in span.events],
        )
        for span in run[1].server_spans()
        if span.name.startswith("ends.")
    }
    assert found == SERVED


def test_a_call_that_cannot_be_made_tells_why(run: tuple[list[str], Seen]) -> None:
    (span,) = (span for span in run[1].spans if span.name == "ends.Aio/never_made")
    assert span.attributes["error.type"].endswith("ExecuteBatchError")
    assert len(span.events) == 1


def test_messages_are_counted_however_they_are_sent(run: tuple[list[str], Seen]) -> None:
    sent = {
        point.attributes["rpc.method"]: point.total for point in run[1].named("rpc.server.responses_per_rpc")
    }
    assert sent["ends.Aio/down_both"] == 2
    assert sent["ends.Aio/down_plain_list"] == 2
    assert sent["ends.Aio/down_write"] == 1
    assert sent["ends.Sync/down_none"] == 1


def test_names_that_callers_make_up_are_bounded_in_metrics(run: tuple[list[str], Seen]) -> None:
    invented = [
        span
        for span in run[1].server_spans()
        if str(span.attributes.get("rpc.method_original", span.name)).startswith("made.up/")
    ]
    assert len(invented) == INVENTED
    nameless = [span for span in invented if span.name == "grpc"]
    assert {span.attributes["rpc.method"] for span in nameless} == {"_OTHER"}
    points = run[1].named("rpc.server.call.duration")
    assert sum(p.value for p in points if p.attributes["rpc.method"] == "_OTHER") == len(nameless)
    assert len({p.attributes["rpc.method"] for p in points}) <= len(SERVED) + INVENTED // 2
    assert set(SERVED) <= {p.attributes["rpc.method"] for p in points}


def test_nothing_is_in_flight_at_the_end(run: tuple[list[str], Seen]) -> None:
    for side in ("server", "client"):
        last: dict[str, float] = {}
        for point in sorted(run[1].named(f"rpc.{side}.active_calls"), key=lambda point: point.time):
            last[point.attributes["rpc.method"]] = point.value
        assert set(last.values()) == {0}


LEAVES = """
import asyncio
from concurrent.futures import ThreadPoolExecutor
import grpc, otel_kit
otel_kit.init(service="leaves")

class Handlers(grpc.GenericRpcHandler):
    def service(self, details):
        return grpc.unary_stream_rpc_method_handler(lambda request, context: iter([b"one"]))

server = grpc.server(ThreadPoolExecutor(4), handlers=[Handlers()])
port = server.add_insecure_port("localhost:0")
server.start()

async def wrapped(call):  # as Google's libraries do it; such a generator is closed by the loop
    async for answer in call:
        yield answer

async def first():
    channel = grpc.aio.insecure_channel(f"localhost:{port}")
    async for answer in wrapped(channel.unary_stream("/ends.Sync/left")(b"")):
        return answer

for _ in range(200):
    assert asyncio.run(first()) == b"one"
server.stop(None).wait()
"""


def test_each_stream_that_is_left_as_its_loop_ends_has_a_span() -> None:
    with running_sink() as sink:
        with start([sys.executable, "-c", LEAVES], env=endpoint(sink)) as part:
            assert part.wait() == 0, part.output()
        spans = [span for span in sink.seen.spans if span.kind == CLIENT]
    assert len(spans) == 200
    # The status may have come before, unread.
    assert {span.attributes["rpc.response.status_code"] for span in spans} <= {"OK", "CANCELLED"}

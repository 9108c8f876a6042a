"""gRPC's unusual cases: what the service sees is gRPC's own, and what is recorded is what happened."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.parts import start
from tests.sdk.run import endpoint
from tests.sdk.sink import Seen, running_sink

SERVER, CLIENT = 2, 3
LINES = """
sync status FAILED_PRECONDITION
sync code_then_crash DATA_LOSS
sync no_response INTERNAL
sync retried OK
sync refused UNAUTHENTICATED
sync broken UNKNOWN
sync undecodable INTERNAL
sync unknown UNIMPLEMENTED
sync unknown UNIMPLEMENTED
sync unknown UNIMPLEMENTED
sync context grpc._server._Context
sync metadata b'\\xff\\x00'
sync with_call 1000 StatusCode.OK {'last': '2'}
sync wrong metadata INTERNAL
sync future True True FutureCancelledError
sync deadline DEADLINE_EXCEEDED
sync ready DEADLINE_EXCEEDED
sync down_bad INTERNAL
sync down_first UNKNOWN
sync down_list ['a', 'b', 'c']
sync both_half ['a', 'b', 'after the end']
sync up_torn UNKNOWN
sync secure ['a', 'b', 'c']
sync unix ['a', 'b', 'c']
sync outer False
sync inner False
sync dead DEADLINE_EXCEEDED
sync absent UNAVAILABLE
sync current False
sync stopped UNAVAILABLE
sync crowded here RESOURCE_EXHAUSTED
aio status FAILED_PRECONDITION
aio code_then_crash DATA_LOSS
aio no_response UNKNOWN
aio retried OK
aio refused UNAUTHENTICATED
aio broken UNKNOWN
aio swallowed ALREADY_EXISTS
aio undecodable UNKNOWN
aio unknown UNIMPLEMENTED
aio call UnaryUnaryCall True
aio context grpc._cython.cygrpc._ServicerContext
aio metadata b'\\xff\\x00'
aio answer 1000 StatusCode.OK {'last': '2'}
aio cancel True CancelledError True
aio deadline DEADLINE_EXCEEDED
aio wait_for TimeoutError
aio plain NOT_FOUND
plain context _SyncServicerContext
aio plain RESOURCE_EXHAUSTED
aio plain UNKNOWN
plain context _SyncServicerContext
aio plain OK
aio down_bad UNKNOWN
aio down_first UNKNOWN
aio down_plain ['a', 'b', 'c']
aio both_half ['a', 'b', 'after the end'] StatusCode.OK
aio up_torn CancelledError
aio down_resumed ['b', 'c']
aio down_resumed ['b', 'c']
aio outer False
aio inner False
plain context _SyncServicerContext
aio dead DEADLINE_EXCEEDED
aio absent UNAVAILABLE
aio stopped UNAVAILABLE
"""
#: Method -> (code, span status, error.type, exception events) of the server's spans.
SERVED = {
    "shop.Sync/status": [("FAILED_PRECONDITION", 0, None, 0)],
    "shop.Sync/code_then_crash": [("DATA_LOSS", 2, "KeyError", 1)],
    "shop.Sync/no_response": [("INTERNAL", 2, "AttributeError", 1)],
    "shop.Sync/retried": [
        ("OK", 0, None, 0),
        ("UNAVAILABLE", 2, "UNAVAILABLE", 0),
        ("UNAVAILABLE", 2, "UNAVAILABLE", 0),
    ],
    "shop.Sync/refused": [("UNAUTHENTICATED", 0, None, 0)],
    "shop.Sync/broken": [("UNKNOWN", 2, "RuntimeError", 1)],
    "shop.Sync/context": [("OK", 0, None, 0)],
    "shop.Sync/slow": [("CANCELLED", 0, None, 0), ("DEADLINE_EXCEEDED", 2, "DEADLINE_EXCEEDED", 0)],
    "shop.Sync/down_bad": [("INTERNAL", 2, "AttributeError", 1)],
    "shop.Sync/down_first": [("UNKNOWN", 2, "ValueError", 1)],
    "shop.Sync/down_list": [("OK", 0, None, 0)] * 4,
    "shop.Sync/both_half": [("OK", 0, None, 0)],
    "shop.Crowded/gone": [("RESOURCE_EXHAUSTED", 0, None, 0)],
    "shop.Aio/status": [("FAILED_PRECONDITION", 0, None, 0)],
    "shop.Aio/code_then_crash": [("DATA_LOSS", 2, "KeyError", 1)],
    "shop.Aio/no_response": [("UNKNOWN", 2, "AttributeError", 1)],
    "shop.Aio/retried": [
        ("OK", 0, None, 0),
        ("UNAVAILABLE", 2, "UNAVAILABLE", 0),
        ("UNAVAILABLE", 2, "UNAVAILABLE", 0),
    ],
    "shop.Aio/refused": [("UNAUTHENTICATED", 0, None, 0)],
    "shop.Aio/broken": [("UNKNOWN", 2, "RuntimeError", 1)],
    "shop.Aio/swallowed": [("ALREADY_EXISTS", 0, None, 0)],
    "shop.Aio/context": [("OK", 0, None, 0)],
    "shop.Aio/plain": [
        ("NOT_FOUND", 0, None, 0),
        ("OK", 0, None, 0),
        ("OK", 0, None, 0),
        ("RESOURCE_EXHAUSTED", 0, None, 0),
        ("UNKNOWN", 2, "ValueError", 1),
    ],
    "shop.Aio/down_bad": [("UNKNOWN", 2, "AttributeError", 1)],
    "shop.Aio/down_first": [("UNKNOWN", 2, "ValueError", 1)],
    "shop.Aio/down_plain": [("OK", 0, None, 0)],
    "shop.Aio/down_left": [("CANCELLED", 0, None, 0)],
    "shop.Aio/down_resumed": [("OK", 0, None, 0)] * 2,
    "shop.Aio/both_half": [("OK", 0, None, 0)],
    "shop.Aio/up_torn": [("CANCELLED", 0, None, 0)],
    "grpc": [("UNIMPLEMENTED", 2, "UNIMPLEMENTED", 0)] * 4,
}
#: Method -> codes of the client's spans.
CALLED = {
    "shop.Sync/status": ["FAILED_PRECONDITION"],
    "shop.Sync/code_then_crash": ["DATA_LOSS"],
    "shop.Sync/no_response": ["INTERNAL"],
    "shop.Sync/retried": ["OK"],
    "shop.Sync/refused": ["UNAUTHENTICATED"],
    "shop.Sync/broken": ["UNKNOWN"],
    "shop.Sync/unknown0": ["UNIMPLEMENTED"],
    "shop.Sync/context": ["INTERNAL", "OK"],
    "shop.Sync/slow": ["CANCELLED", "DEADLINE_EXCEEDED"],
    "shop.Sync/gone": ["DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED", "INTERNAL", "UNAVAILABLE", "UNAVAILABLE"],
    "shop.Sync/down_bad": ["INTERNAL"],
    "shop.Sync/down_first": ["UNKNOWN"],
    "shop.Sync/down_list": ["OK", "OK", "OK", "OK"],
    "shop.Sync/both_half": ["OK"],
    "shop.Sync/up_torn": ["UNKNOWN"],
    "shop.Aio/status": ["FAILED_PRECONDITION"],
    "shop.Aio/code_then_crash": ["DATA_LOSS"],
    "shop.Aio/no_response": ["UNKNOWN"],
    "shop.Aio/retried": ["OK"],
    "shop.Aio/refused": ["UNAUTHENTICATED"],
    "shop.Aio/broken": ["UNKNOWN"],
    "shop.Aio/swallowed": ["ALREADY_EXISTS"],
    "shop.Aio/unknown": ["UNIMPLEMENTED"],
    "shop.Aio/context": ["OK"],
    "shop.Aio/slow": ["CANCELLED", "CANCELLED", "DEADLINE_EXCEEDED"],
    "shop.Aio/gone": ["DEADLINE_EXCEEDED", "UNAVAILABLE", "UNAVAILABLE", "UNKNOWN"],
    "shop.Aio/plain": ["NOT_FOUND", "OK", "OK", "RESOURCE_EXHAUSTED", "UNKNOWN"],
    "shop.Aio/down_bad": ["UNKNOWN"],
    "shop.Aio/down_first": ["UNKNOWN"],
    "shop.Aio/down_plain": ["OK"],
    "shop.Aio/down_left": ["CANCELLED"],
    "shop.Aio/down_resumed": ["OK", "OK"],
    "shop.Aio/both_half": ["OK"],
    "shop.Aio/up_torn": ["CANCELLED"],
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Seen]:
    """What `tests/sdk/apps/rpc_cases.py` prints, and what arrives of it."""
    path: Path = tmp_path_factory.mktemp("rpc") / "s"
    with running_sink() as sink:
        command = [sys.executable, "-m", "tests.sdk.apps.rpc_cases", str(path)]
        with start(command, env=endpoint(sink)) as part:
            assert part.wait() == 0, part.output()
            return part.output(), sink.seen


def test_the_service_notices_nothing(run: tuple[str, Seen]) -> None:
    lines = [line for line in run[0].splitlines() if line.startswith(("sync ", "aio ", "plain "))]
    assert lines == LINES.strip().splitlines()
    assert "fault" not in run[0]
    assert "detach" not in run[0]


@pytest.mark.parametrize("method", SERVED)
def test_server(run: tuple[str, Seen], method: str) -> None:
    found = [
        (
            span.attributes["rpc.response.status_code"],
            span.status,
            span.attributes.get("error.type"),
            len(span.events),
        )
        for span in run[1].server_spans()
        if span.name == method
    ]
    assert sorted(found) == SERVED[method]


@pytest.mark.parametrize("method", CALLED)
def test_client(run: tuple[str, Seen], method: str) -> None:
    spans = [span for span in run[1].spans if span.kind == CLIENT and span.name == method]
    assert sorted(span.attributes["rpc.response.status_code"] for span in spans) == CALLED[method]
    for span in spans:
        failed = span.attributes["rpc.response.status_code"] != "OK"
        assert (span.status, span.events) == (2 if failed else 0, [])


def test_names_that_the_server_does_not_know_reach_no_metric(run: tuple[str, Seen]) -> None:
    refused = [span for span in run[1].server_spans() if span.name == "grpc"]
    assert {span.attributes["rpc.method_original"] for span in refused} == {
        "shop.Sync/unknown0",
        "shop.Sync/unknown1",
        "shop.Sync/unknown2",
        "shop.Aio/unknown",
    }
    clients = {span.span_id for span in run[1].spans if span.kind == CLIENT}
    assert {span.parent_id for span in refused} <= clients
    served = {
        point.attributes["rpc.method"]: point.value
        for point in run[1].named("rpc.server.call.duration")
        if point.attributes["rpc.response.status_code"] == "UNIMPLEMENTED"
    }
    assert set(served) == {"_OTHER"}


def test_messages_of_streams_are_counted(run: tuple[str, Seen]) -> None:
    counted = Counter(
        (point.name, point.attributes["rpc.method"])
        for point in run[1].points
        if point.name.endswith("_per_rpc")
    )
    for side in ("server", "client"):
        for method in ("shop.Sync/both_half", "shop.Aio/both_half"):
            assert counted[f"rpc.{side}.requests_per_rpc", method] == 1
            assert counted[f"rpc.{side}.responses_per_rpc", method] == 1
        assert counted[f"rpc.{side}.responses_per_rpc", "shop.Sync/down_list"] >= 1
    assert not [name for name, method in counted if method.endswith("/status")]


def test_nothing_is_in_flight_at_the_end(run: tuple[str, Seen]) -> None:
    for side in ("server", "client"):
        last: dict[str, float] = {}
        for point in sorted(run[1].named(f"rpc.{side}.active_calls"), key=lambda point: point.time):
            last[point.attributes["rpc.method"]] = point.value
        assert len(last) > 20
        assert set(last.values()) == {0}


def test_a_deadline_is_told_where_there_is_one(run: tuple[str, Seen]) -> None:
    left = {
        span.name: span.attributes["rpc.deadline.remaining"]
        for span in run[1].server_spans()
        if "rpc.deadline.remaining" in span.attributes
    }
    assert set(left) <= {"shop.Sync/slow", "shop.Sync/gone", "shop.Aio/slow", "shop.Aio/context"}
    assert 0 < left["shop.Sync/slow"] <= 1.1
    assert 0 < left["shop.Aio/context"] <= 30.1

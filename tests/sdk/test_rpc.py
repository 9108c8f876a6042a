"""gRPC, both stacks, both sides, all kinds of calls, and each way to fail."""

from __future__ import annotations

import sys
from collections import Counter

import pytest

from otel_kit.conventions import RPC_CLIENT_DURATION, RPC_SERVER_DURATION
from tests.parts import start
from tests.sdk.run import endpoint
from tests.sdk.sink import Seen, running_sink

SERVER, CLIENT = 2, 3
Row = tuple[str, str, int, str | None, int]
ENV = {"OTEL_PYTHON_GRPC_EXCLUDED_SERVICES": "shop.Hidden", "OTEL_KIT_PEER_SERVICES": "localhost:1=gone"}


@pytest.fixture(scope="module")
def seen() -> Seen:
    """All that arrives of the calls of `tests/sdk/apps/rpc.py`."""
    with running_sink() as sink:
        with start([sys.executable, "-m", "tests.sdk.apps.rpc"], env={**endpoint(sink), **ENV}) as part:
            assert part.wait() == 0, part.output()
            assert "all calls made" in part.output()
            assert "fault" not in part.output()
            assert "detach" not in part.output()
        return sink.seen


def rows(seen: Seen, kind: int, stack: str) -> Counter[Row]:
    """Method, code, status, error.type and number of events of each span."""
    return Counter(
        (
            span.name,
            span.attributes["rpc.response.status_code"],
            span.status,
            span.attributes.get("error.type"),
            len(span.events),
        )
        for span in seen.spans
        if span.kind == kind and span.name.startswith(f"shop.{stack}/")
    )


def test_sync_server(seen: Seen) -> None:
    assert rows(seen, SERVER, "Sync") == {
        ("shop.Sync/Unary", "OK", 0, None, 0): 2,
        ("shop.Sync/Unary", "UNKNOWN", 2, "ValueError", 1): 1,
        ("shop.Sync/Unary", "UNKNOWN", 2, "__main__.Speechless", 1): 1,
        ("shop.Sync/Unary", "NOT_FOUND", 0, None, 0): 1,
        ("shop.Sync/Unary", "INTERNAL", 2, "INTERNAL", 0): 1,
        ("shop.Sync/Unary", "DEADLINE_EXCEEDED", 2, "DEADLINE_EXCEEDED", 0): 1,
        ("shop.Sync/Down", "OK", 0, None, 0): 1,
        ("shop.Sync/Down", "UNKNOWN", 2, "ValueError", 1): 1,
        ("shop.Sync/Down", "NOT_FOUND", 0, None, 0): 1,
        ("shop.Sync/Down", "CANCELLED", 0, None, 0): 2,
        ("shop.Sync/Up", "OK", 0, None, 0): 1,
        ("shop.Sync/Both", "OK", 0, None, 0): 1,
    }


def test_sync_client(seen: Seen) -> None:
    assert rows(seen, CLIENT, "Sync") == {
        ("shop.Sync/Unary", "OK", 0, None, 0): 2,
        ("shop.Sync/Unary", "UNKNOWN", 2, "UNKNOWN", 0): 2,
        ("shop.Sync/Unary", "NOT_FOUND", 2, "NOT_FOUND", 0): 1,
        ("shop.Sync/Unary", "INTERNAL", 2, "INTERNAL", 0): 1,
        ("shop.Sync/Unary", "DEADLINE_EXCEEDED", 2, "DEADLINE_EXCEEDED", 0): 1,
        ("shop.Sync/Down", "OK", 0, None, 0): 1,
        ("shop.Sync/Down", "UNKNOWN", 2, "UNKNOWN", 0): 1,
        ("shop.Sync/Down", "NOT_FOUND", 2, "NOT_FOUND", 0): 1,
        ("shop.Sync/Down", "CANCELLED", 2, "CANCELLED", 0): 2,
        ("shop.Sync/Up", "OK", 0, None, 0): 1,
        ("shop.Sync/Both", "OK", 0, None, 0): 1,
    }


def test_aio_server(seen: Seen) -> None:
    assert rows(seen, SERVER, "Aio") == {
        ("shop.Aio/Unary", "CANCELLED", 0, None, 0): 1,
        ("shop.Aio/Unary", "DEADLINE_EXCEEDED", 2, "DEADLINE_EXCEEDED", 0): 1,
        ("shop.Aio/Down", "CANCELLED", 0, None, 0): 2,
        ("shop.Aio/Unary", "OK", 0, None, 0): 1,
        ("shop.Aio/Unary", "UNKNOWN", 2, "ValueError", 1): 1,
        ("shop.Aio/Unary", "NOT_FOUND", 0, None, 0): 1,
        ("shop.Aio/Unary", "INTERNAL", 2, "INTERNAL", 0): 1,
        ("shop.Aio/Down", "OK", 0, None, 0): 1,
        ("shop.Aio/Down", "UNKNOWN", 2, "ValueError", 1): 1,
        ("shop.Aio/Down", "NOT_FOUND", 0, None, 0): 1,
        ("shop.Aio/Write", "OK", 0, None, 0): 1,
        ("shop.Aio/Write", "UNKNOWN", 2, "ValueError", 1): 1,
        ("shop.Aio/Up", "OK", 0, None, 0): 1,
        ("shop.Aio/Both", "OK", 0, None, 0): 1,
    }


def test_aio_client(seen: Seen) -> None:
    assert rows(seen, CLIENT, "Aio") == {
        ("shop.Aio/Unary", "OK", 0, None, 0): 1,
        ("shop.Aio/Unary", "UNKNOWN", 2, "UNKNOWN", 0): 1,
        ("shop.Aio/Unary", "NOT_FOUND", 2, "NOT_FOUND", 0): 1,
        ("shop.Aio/Unary", "INTERNAL", 2, "INTERNAL", 0): 1,
        ("shop.Aio/Unary", "DEADLINE_EXCEEDED", 2, "DEADLINE_EXCEEDED", 0): 1,
        ("shop.Aio/Unary", "CANCELLED", 2, "CANCELLED", 0): 1,
        ("shop.Aio/Down", "OK", 0, None, 0): 1,
        ("shop.Aio/Down", "UNKNOWN", 2, "UNKNOWN", 0): 1,
        ("shop.Aio/Down", "NOT_FOUND", 2, "NOT_FOUND", 0): 1,
        ("shop.Aio/Down", "CANCELLED", 2, "CANCELLED", 0): 2,
        ("shop.Aio/Write", "OK", 0, None, 0): 1,
        ("shop.Aio/Write", "UNKNOWN", 2, "UNKNOWN", 0): 1,
        ("shop.Aio/Up", "OK", 0, None, 0): 1,
        ("shop.Aio/Both", "OK", 0, None, 0): 1,
    }


def test_a_stream_that_is_left_early_ends_its_client_span_at_once(seen: Seen) -> None:
    left = next(s for s in seen.spans if s.kind == CLIENT and "left before" in s.message)
    last = next(s for s in seen.spans if s.kind == CLIENT and s.name == "shop.Aio/Both")
    assert left.attributes["rpc.response.status_code"] == "CANCELLED"
    assert left.end < last.end


def test_what_the_server_logs_of_an_error_belongs_to_its_call(seen: Seen) -> None:
    failed = {(s.trace_id, s.span_id): s.name for s in seen.server_spans() if s.events}
    logged = [log for log in seen.logs if log.scope.startswith("grpc") and "exception.type" in log.attributes]
    methods = Counter(failed.get((log.trace_id, log.span_id)) for log in logged)
    assert methods == {
        "shop.Sync/Unary": 3,  # grpc has two lines for an error without a text
        "shop.Sync/Down": 1,
        "shop.Aio/Unary": 1,
        "shop.Aio/Down": 1,
        "shop.Aio/Write": 1,
    }


def test_each_server_span_is_the_child_of_its_client_span(seen: Seen) -> None:
    clients = {span.span_id: span for span in seen.spans if span.kind == CLIENT}
    for span in seen.server_spans():
        assert clients[span.parent_id].name == span.name
        assert clients[span.parent_id].trace_id == span.trace_id
    for parent in ("parent of unary", "parent of aio unary"):
        root = next(span for span in seen.spans if span.name == parent)
        assert [span.name.endswith("/Unary") for span in seen.spans if span.parent_id == root.span_id] == [
            True
        ]


def test_health_checks_are_left_out_and_an_absent_server_is_not(seen: Seen) -> None:
    assert not [span for span in seen.spans if "Health" in span.name]
    gone = next(span for span in seen.spans if span.name == "shop.Gone/Unary")
    assert (gone.kind, gone.status, gone.attributes["error.type"]) == (CLIENT, 2, "UNAVAILABLE")
    assert (gone.attributes["server.address"], gone.attributes["server.port"]) == ("localhost", 1)


def test_each_call_is_counted_once_on_each_side(seen: Seen) -> None:
    for metric, kind in ((RPC_SERVER_DURATION, SERVER), (RPC_CLIENT_DURATION, CLIENT)):
        spans = Counter(
            (span.name, span.attributes["rpc.response.status_code"])
            for span in seen.spans
            if span.kind == kind and span.name.startswith("shop.")
        )
        points: Counter[tuple[str, str]] = Counter()
        always = {"rpc.system.name", "rpc.method", "rpc.response.status_code"}
        if kind == CLIENT:
            always |= {"server.address", "server.port"}
        for point in seen.named(metric):
            assert point.attributes["rpc.system.name"] == "grpc"
            assert set(point.attributes) - {"error.type"} == always
            points[point.attributes["rpc.method"], point.attributes["rpc.response.status_code"]] += int(
                point.value
            )
        assert points == spans


def messages(seen: Seen, name: str, method: str) -> dict[str, float]:
    """Messages of all streams of a method, by the code they ended with."""
    found: Counter[str] = Counter()
    for point in seen.named(name):
        if point.attributes["rpc.method"] == method:
            found[point.attributes["rpc.response.status_code"]] += int(point.total)
    return dict(found)


def test_messages_of_streams_are_counted_on_both_sides(seen: Seen) -> None:
    for side in ("server", "client"):
        requests, responses = f"rpc.{side}.requests_per_rpc", f"rpc.{side}.responses_per_rpc"
        for stack in ("Sync", "Aio"):
            assert messages(seen, requests, f"shop.{stack}/Up") == {"OK": 2}
            assert messages(seen, requests, f"shop.{stack}/Both") == {"OK": 2}
            assert messages(seen, responses, f"shop.{stack}/Both") == {"OK": 2}
            assert messages(seen, responses, f"shop.{stack}/Up") == {}
            assert messages(seen, responses, f"shop.{stack}/Down")["OK"] == 3
            assert messages(seen, responses, f"shop.{stack}/Unary") == {}
        assert messages(seen, responses, "shop.Aio/Write") == {"OK": 3, "UNKNOWN": 3}


def test_excluded_services_leave_no_trace_on_either_side(seen: Seen) -> None:
    assert not [span for span in seen.spans if "Hidden" in span.name]
    assert not [point for point in seen.points if "Hidden" in str(point.attributes)]


def test_the_service_behind_a_channel_is_named(seen: Seen) -> None:
    peers = {span.name: span.attributes.get("peer.service") for span in seen.spans if span.kind == CLIENT}
    assert peers["shop.Gone/Unary"] == "gone"
    assert peers["shop.Sync/Unary"] is None

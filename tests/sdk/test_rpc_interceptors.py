"""Interceptors of a service: what they log and refuse belongs to the call, whichever way they are given."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.parts import start
from tests.sdk.run import endpoint
from tests.sdk.sink import Seen, SpanSeen, running_sink

SERVER = 2
SERVERS = ("sync.Keyword", "sync.Position", "aio.Keyword", "aio.Position")


@pytest.fixture(scope="module")
def seen() -> Iterator[Seen]:
    """What `tests/sdk/apps/rpc_interceptors.py` sends."""
    with running_sink() as sink:
        with start([sys.executable, "-m", "tests.sdk.apps.rpc_interceptors"], env=endpoint(sink)) as part:
            assert part.wait() == 0, part.output()
            assert "all calls made" in part.output()
        yield sink.seen


def served(seen: Seen, call: str) -> tuple[SpanSeen, SpanSeen]:
    """The span in which a call was made, and the server's."""
    (caller,) = (span for span in seen.spans if span.name == call)
    (server,) = (span for span in seen.server_spans() if span.trace_id == caller.trace_id)
    return caller, server


@pytest.mark.parametrize("server", SERVERS)
def test_what_interceptors_put_around_a_handler_is_within_its_span(seen: Seen, server: str) -> None:
    _, span = served(seen, f"{server} fine")
    within = [log.body for log in seen.logs if log.span_id == span.span_id]
    assert within == [f"around {server} fine", f"served {server} fine"]
    assert span.attributes["rpc.response.status_code"] == "OK"


@pytest.mark.parametrize("server", SERVERS)
def test_a_refusal_is_a_span_with_its_status_and_its_lines(seen: Seen, server: str) -> None:
    _, span = served(seen, f"{server} refused")
    assert span.name == f"{server}.Shop/Get"
    assert span.attributes["rpc.response.status_code"] == "UNAUTHENTICATED"
    assert [log.body for log in seen.logs if log.span_id == span.span_id] == [f"refused {server} refused"]


@pytest.mark.parametrize("server", SERVERS)
def test_a_failure_of_an_interceptor_is_a_span(seen: Seen, server: str) -> None:
    _, span = served(seen, f"{server} broken")
    assert span.attributes["rpc.response.status_code"] == "UNKNOWN"
    assert span.attributes["error.type"] == "ValueError"


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("call", ["fine", "refused", "broken"])
def test_what_interceptors_log_before_the_handler_is_in_the_trace_of_the_caller(
    seen: Seen, server: str, call: str
) -> None:
    caller, span = served(seen, f"{server} {call}")
    (asked,) = (
        log for log in seen.logs if log.trace_id == caller.trace_id and str(log.body).startswith("asked")
    )
    assert asked.body == f"asked /{server}.Shop/Get"
    assert asked.span_id == span.parent_id

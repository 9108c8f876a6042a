"""A service that uses OpenTelemetry's own instrumentation of gRPC: one span a call, and its hooks hold."""

from __future__ import annotations

import sys
from collections import Counter

import pytest

from tests.parts import start
from tests.sdk.run import endpoint
from tests.sdk.sink import running_sink

SERVER, CLIENT = 2, 3


@pytest.mark.parametrize("when", ["before", "after", "hand"])
def test_one_span_a_call_with_filters_and_hooks(when: str) -> None:
    with running_sink() as sink:
        with start([sys.executable, "-m", "tests.sdk.apps.rpc_contrib", when], env=endpoint(sink)) as part:
            assert part.wait() == 0, part.output()
            assert "all calls made" in part.output()
        spans = sink.seen.spans
    once = {"shop.Stock/Get": 2, "shop.Stock/List": 2}
    without = {"shop.Stock/Get": 1, "shop.Stock/Left": 1, "shop.Stock/List": 1} if when == "after" else {}
    for kind in (SERVER, CLIENT):
        assert Counter(span.name for span in spans if span.kind == kind) == Counter(once) + Counter(without)
    hooked = [span for span in spans if span.kind == CLIENT and "asked" in span.attributes]
    assert Counter((span.name, span.attributes["answered"]) for span in hooked) == {
        ("shop.Stock/Get", "there"): 2,
        ("shop.Stock/List", "two"): 2,
    }
    assert {span.attributes["rpc.response.status_code"] for span in spans} == {"OK"}
    clients = {span.span_id for span in spans if span.kind == CLIENT}
    assert {span.parent_id for span in sink.seen.server_spans()} <= clients

"""Callers of real servers: who becomes a parent, who a link, and what of the baggage is seen."""

from __future__ import annotations

import sys
from typing import Any

import grpc
import pytest

from tests.parts import eventually, free_port, start
from tests.sdk.run import UVICORN, endpoint, get, web
from tests.sdk.sink import Seen, SpanSeen, running_sink

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
UNSAMPLED = f"00-{TRACE}-{PARENT}-00"
RULES = {
    "OTEL_KIT_TRUST": "route:/orders/1@all; route:/orders/2@ignore; header:x-partner@resample; link",
    "OTEL_KIT_EXTRACT": "gcp",
    "OTEL_KIT_BAGGAGE_ATTRIBUTES": "tenant",
}


def order(seen: Seen, number: int) -> SpanSeen:
    """The span of the request for that order."""
    path = f"/orders/{number}"
    return next(span for span in seen.server_spans() if span.attributes.get("url.path") == path)


def test_http() -> None:
    # The last one is longer than h11 takes where it does not come in one piece.
    command = (*UVICORN, "--h11-max-incomplete-event-size", "1000000")
    with running_sink() as sink, web(sink, *command, env=RULES) as (part, url):
        get(f"{url}/orders/1", traceparent=f"00-{TRACE}-{PARENT}-01", baggage="tenant=acme,user=ann")
        get(f"{url}/orders/2", traceparent=UNSAMPLED)
        get(f"{url}/orders/3", traceparent=UNSAMPLED, x_partner="1")
        get(f"{url}/orders/4", traceparent=UNSAMPLED, baggage="tenant=acme")
        get(f"{url}/orders/5", x_cloud_trace_context=f"{TRACE}/7")
        get(f"{url}/orders/6", traceparent="x" * 60000, b3="\x01\xff", baggage="=" * 60000)
        part.terminate()
    first, second, third, fourth, fifth, sixth = (order(sink.seen, number) for number in range(1, 7))
    assert (first.trace_id, first.parent_id, first.links) == (TRACE, PARENT, [])
    assert first.attributes["tenant"] == "acme"
    assert "user" not in first.attributes
    assert next(log for log in sink.seen.logs if log.body == "order 1").attributes["tenant"] == "acme"
    assert (second.trace_id == TRACE, second.parent_id, second.links) == (False, "", [])
    assert (third.trace_id, third.parent_id) == (TRACE, PARENT)
    assert (fourth.trace_id == TRACE, fourth.parent_id) == (False, "")
    assert fourth.links == [(TRACE, PARENT)]
    assert "tenant" not in fourth.attributes
    assert fifth.links == [(TRACE, f"{7:016x}")]
    assert (sixth.parent_id, sixth.links) == ("", [])


def call(channel: Any, method: str) -> Any:
    """A stub, of bytes for bytes."""
    return channel.unary_unary(method)


@pytest.mark.parametrize("rules", [{}, {"OTEL_KIT_TRUST": "route:/shop.Edge/*@espv2; header:x-user@link"}])
def test_grpc(rules: dict[str, str]) -> None:
    port = free_port()
    with running_sink() as sink:
        env = {**endpoint(sink), **rules, "PORT": str(port), "OTEL_KIT_EXTRACT": "datadog"}
        with start([sys.executable, "-m", "tests.sdk.apps.edge"], env=env) as part:
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                grpc.channel_ready_future(channel).result(timeout=20)
                metadata = (("traceparent", f"00-{TRACE}-{PARENT}-01"), ("x-datadog-trace-id", "9"))
                call(channel, "/shop.Edge/Call")(b"x", metadata=metadata, timeout=20)
                datadog = (("x-datadog-trace-id", "9"), ("x-datadog-parent-id", "8"))
                call(channel, "/shop.Other/Call")(b"x", metadata=datadog, timeout=20)
                eventually(lambda: part.output().count('"called"') == 2, what="two calls")
            part.terminate()
    spans = {span.name: span for span in sink.seen.server_spans()}
    edge, other = spans["shop.Edge/Call"], spans["shop.Other/Call"]
    assert (other.trace_id, other.parent_id) == (f"{9:032x}", f"{8:016x}")
    if rules:
        assert (edge.trace_id == TRACE, edge.parent_id, edge.links) == (False, "", [(TRACE, PARENT)])
    else:
        assert (edge.trace_id, edge.parent_id, edge.links) == (TRACE, PARENT, [])

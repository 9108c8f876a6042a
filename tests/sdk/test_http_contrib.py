"""Applications that instrument themselves by OpenTelemetry's own packages: one span, with their options."""

from __future__ import annotations

import sys

import pytest

from tests.parts import start
from tests.sdk.run import endpoint
from tests.sdk.sink import SpanSeen, running_sink

NAMES = (
    "by_call",
    "later",
    "by_middleware",
    "around",
    "named",
    "around_starlettes",
    "by_starlettes",
    "mounted",
    "failing_hooks",
    "plain",
)


@pytest.mark.parametrize("order", ["before", "after"])
def test_each_request_is_recorded_once_with_the_options_of_its_application(order: str) -> None:
    """Whether they instrument themselves before or after ``init()``."""
    command = [sys.executable, "-m", "tests.sdk.apps.web_contrib"]
    with running_sink() as sink, start(command, env={**endpoint(sink), "ORDER": order}) as part:
        assert part.wait() == 0, part.output()
        assert part.output().count("fault in hook of HTTP") == 1  # one a minute is told
        seen = sink.seen
    # Excluded URLs are not there, nor is the application that was instrumented no more.
    assert sorted(s.attributes["user_agent.original"] for s in seen.server_spans()) == sorted(NAMES)
    assert {(s.kind, s.status, len(s.events)) for s in seen.spans} == {(2, 0, 0), (1, 2, 1)}
    spans = {s.attributes["user_agent.original"]: s for s in seen.server_spans()}
    (task,) = (s for s in seen.spans if s.kind == 1)
    assert (task.name, task.parent_id) == ("BackgroundTask broken", spans.pop("later").span_id)
    assert spans.pop("mounted").name == "POST /outer/things/{thing}"
    named = spans.pop("named")
    assert (named.name, named.attributes["mine"]) == ("named", 1)
    assert named.attributes["http.route"] == "/things/{thing}"
    assert {s.name for s in spans.values()} == {"POST /things/{thing}"}
    assert seen.total("http.server.request.duration") == len(NAMES)
    assert {p.value for p in seen.named("http.server.active_requests")} == {0}
    for name in ("by_call", "by_middleware"):
        _has_options(spans[name], name)
    assert spans["around"].attributes["on_request"] == "around/things/1"
    assert not any(key.startswith(("on_", "http.request.header.")) for key in spans["plain"].attributes)


def _has_options(span: SpanSeen, name: str) -> None:
    found = span.attributes
    assert (found["on_request"], found["on_receive"]) == (f"{name}/things/1", "http.request")
    assert found["on_send"] == "http.response.body"
    assert found["http.request.header.x-tenant"] == ["acme"]
    assert found["http.response.header.content-type"] == ["application/json"]
    for header in ("authorization", "x-internal"):  # the one always, the other by the list
        (value,) = found[f"http.request.header.{header}"]
        assert "s3cret" not in value

"""Requests that end in all kinds of ways: always one SERVER span with the right route, status and error."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.parts import start
from tests.sdk.run import endpoint
from tests.sdk.sink import Seen, SpanSeen, running_sink

ITEM = "/items/{item}"
#: Case -> name of the span, status of the response, error.type.
ROUTES: dict[str, tuple[str, int | None, str | None]] = {
    "plain": (f"GET {ITEM}", 200, None),
    "included": ("GET /r/{shelf}/leaf/{leaf}", 200, None),
    "mounted": ("GET /sub/{tenant}/leaf/{leaf}", 200, None),
    "mounted_twice": ("GET /sub/{tenant}/deeper/{level}/leaf/{leaf}", 200, None),
    "mounted_404": ("GET", 404, None),
    "404": ("GET", 404, None),
    "405": (f"PATCH {ITEM}", 405, None),
    "head": (f"HEAD {ITEM}", 405, None),
    "redirected": ("GET", 307, None),
    "preflight": (f"OPTIONS {ITEM}", 200, None),
    "host": ("GET /leaf/{leaf}", 200, None),
    "group": ("GET /group/{name}/leaf/{leaf}", 200, None),
    "own_route": ("GET /group2/{name}/leaf/{leaf}", 200, None),
    "root_path": ("GET /proxied/leaf/{leaf}", 200, None),
    "root_path_of_server": ("GET /proxy/items/{item}", 200, None),
    "root_path_and_mount": ("GET /proxy/sub/{tenant}/leaf/{leaf}", 200, None),
}
FAILURES: dict[str, tuple[str, int | None, str | None]] = {
    # A middleware may answer or fail before the router is asked: the route is known all the same.
    "asgi_before": (f"GET {ITEM}", 500, "LookupError"),
    "asgi_after": (f"GET {ITEM}", 200, "LookupError"),
    "asgi_group": (f"GET {ITEM}", 500, "LookupError"),
    "base_before": (f"GET {ITEM}", 500, "LookupError"),
    "base_answers": (f"GET {ITEM}", 401, None),
    "dependency": (f"GET {ITEM}", 500, "LookupError"),
    "dependency_exit": (f"GET {ITEM}", 200, "LookupError"),
    "handled": (f"GET {ITEM}", 418, None),
    "unhandled": (f"GET {ITEM}", 500, "LookupError"),
    "handled_and_raised": ("GET /{what}", 503, "LookupError"),
    "handler_fails": ("GET /{what}", 503, "LookupError"),
    "stream": ("GET /stream", 200, None),
    "stream_fails&fail=1": ("GET /stream", 200, "LookupError"),
    "silent": ("GET /silent", 500, "incomplete_response"),
    "gone": ("GET /stream", 200, "OSError"),
    "late": (f"GET {ITEM}", 200, None),  # the error is a span of its own
    "file": ("GET /file", 200, None),
    "cancelled": (f"GET {ITEM}", None, "CancelledError"),
    "counted_body": (f"POST {ITEM}", 200, None),
    "cut_body": (f"POST {ITEM}", None, "ClientDisconnect"),
    "socket": ("GET /socket", 101, None),
}
ODDITIES = ("lists", "http2", "bytes", "twice", "nonsense", "port", "scheme")
CASES = {
    **ROUTES,
    **FAILURES,
    **dict.fromkeys(ODDITIES, (f"GET {ITEM}", 200, None)),
    "method": (f"HTTP {ITEM}", 405, None),
}


@pytest.fixture(scope="module")
def seen() -> Seen:
    command = [sys.executable, "-m", "tests.sdk.apps.web_cases"]
    with running_sink() as sink, start(command, env=endpoint(sink)) as part:
        assert part.wait() == 0, part.output()
        assert "fault in" not in part.output()
    return sink.seen


def one(seen: Seen, case: str) -> SpanSeen:
    found = [s for s in seen.server_spans() if s.attributes.get("url.query") == f"case={case}"]
    assert len(found) == 1, (case, found)
    return found[0]


@pytest.mark.parametrize("case", CASES)
def test_one_server_span_with_route_and_status(seen: Seen, case: str) -> None:
    span = one(seen, case)
    status, error = (span.attributes.get(key) for key in ("http.response.status_code", "error.type"))
    assert (span.kind, span.name, status, error) == (2, *CASES[case])
    route = span.name.partition(" ")[2]
    assert span.attributes.get("http.route") == (route or None)
    faults = error is not None and case not in (
        "gone",
        "cancelled",
        "cut_body",
    )  # that the client leaves is no fault
    assert span.status == (2 if faults else 0)
    assert len(span.events) == (1 if faults and case != "silent" else 0)


def test_nothing_but_these_is_recorded(seen: Seen) -> None:
    """The health route behind a prefix is not, and what a rare server leaves out is no obstacle."""
    rare = [s for s in seen.server_spans() if "url.query" not in s.attributes]
    assert [(s.name, s.attributes["url.path"]) for s in rare] == [("GET /bare", "/bare/rare")]
    assert rare[0].attributes == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "http.route": "/bare",
        "url.path": "/bare/rare",
        "url.scheme": "http",
    }
    assert len(seen.server_spans()) == len(CASES) + 1


def test_an_error_long_after_the_answer_is_in_the_trace(seen: Seen) -> None:
    request = one(seen, "late")
    (after,) = (s for s in seen.spans if s.kind != 2)
    assert (after.name, after.trace_id, after.parent_id) == (
        "after the response",
        request.trace_id,
        request.span_id,
    )
    assert (after.status, after.attributes) == (2, {"error.type": "LookupError"})
    assert [attributes["exception.message"] for _, attributes in after.events] == ["late"]
    assert request.end < after.end


def test_a_file_that_the_server_reads_has_its_size(seen: Seen) -> None:
    (point,) = (
        p for p in seen.named("http.server.response.body.size") if p.attributes.get("http.route") == "/file"
    )
    assert point.total == (Path(__file__).parent / "apps" / "web_cases.py").stat().st_size


def test_each_request_is_measured_once_and_none_stays_active(seen: Seen) -> None:
    requests = len(CASES) + 1
    assert seen.total("http.server.request.duration") == requests
    assert seen.total("http.server.response.body.size") == requests - 1  # a handshake has no body
    assert seen.total("http.server.request.duration", http__route=ITEM, error__type="CancelledError") == 1
    active = {p.series: p.value for p in seen.named("http.server.active_requests")}
    assert len(active) == 9
    assert set(active.values()) == {0}


def test_metrics_have_bounded_attributes(seen: Seen) -> None:
    for point in seen.named("http.server.request.duration"):
        assert point.attributes["http.request.method"] in {
            "GET",
            "HEAD",
            "OPTIONS",
            "PATCH",
            "POST",
            "_OTHER",
        }
        assert point.attributes["url.scheme"] in {"http", "https", "ws", "_OTHER"}
        assert point.attributes.get("network.protocol.version", "2") in {"1.1", "2"}
    assert seen.total("http.server.request.body.size", http__request__method="POST") == 2


def test_what_clients_make_up_is_cut(seen: Seen) -> None:
    assert len(one(seen, "bytes").attributes["user_agent.original"]) == 4096
    assert len(one(seen, "method").attributes["http.request.method_original"]) == 64
    port = one(seen, "port").attributes
    assert (port["server.address"], port["server.port"]) == ("shop.test", 80)


def test_a_broken_parent_is_no_parent(seen: Seen) -> None:
    assert one(seen, "nonsense").parent_id == ""

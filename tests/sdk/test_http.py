"""What is recorded of requests to a FastAPI application: one server span and one duration each."""

from __future__ import annotations

import contextlib
import http.client
import socket
import sys
import urllib.request
from collections import Counter
from typing import Any

import pytest

from otel_kit.conventions import HTTP_SERVER_DURATION
from otel_kit.sdk.http.attributes import request_attributes
from tests.parts import eventually, start
from tests.sdk.run import UVICORN, endpoint, get, web
from tests.sdk.sink import Seen, SpanSeen, running_sink

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


def abandon(url: str, path: str) -> None:
    """Leave in the middle of an answer."""
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as s:
        s.sendall(f"GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n".encode())
        s.recv(10)


def in_one_go(url: str, *paths: str) -> None:
    """Send requests without waiting for answers, by one connection."""
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as s:
        s.sendall("".join(f"GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n" for path in paths).encode())
        answers = b""
        while answers.count(b"HTTP/1.1 200") < len(paths):
            answers += s.recv(4096)


@pytest.fixture(scope="module")
def seen() -> Seen:
    """All that arrives of a round of requests."""
    with running_sink() as sink, web(sink, *UVICORN) as (part, url):
        traceparent = f"00-{TRACE}-{PARENT}-01"
        get(f"{url}/orders/7?page=2&access_token=s3cret", traceparent=traceparent, user_agent="tester")
        with urllib.request.urlopen(f"{url}/span") as answer:
            sink.seen.headers.append({"span": answer.read().decode().strip('"')})
        get(f"{url}/admin/users/1")
        get(f"{url}/plain/hello/you")
        get(f"{url}/v1/carts/9/items", method="POST")
        get(f"{url}/v2/stock/rooms/3/shelves/b")
        get(f"{url}/tenants/acme/users/1")
        in_one_go(url, "/plain/hello/one", "/plain/hello/two", "/plain/hello/three")
        get(f"{url}/static/web.py")
        get(f"{url}/openapi.json")
        get(f"{url}/speechless")
        for path in (
            "/late",
            "/boom",
            "/admin/broken",
            "/refused/404",
            "/refused/503",
            "/nowhere",
            "/admin/nowhere",
        ):
            get(f"{url}{path}")
        get(f"{url}/orders/7", method="BREW")
        get(f"{url}/stream")
        with contextlib.suppress(http.client.IncompleteRead):
            get(f"{url}/stream?fail=true")
        abandon(url, "/stream?abandoned=1")
        get(f"{url}/healthz")
        get(f"{url}/healthzcare")
        eventually(lambda: "background done" in part.output(), what="the background task")
        eventually(lambda: "TimeoutError" in part.output(), what="the background task that fails")
        part.terminate()
    return sink.seen


def one(seen: Seen, **attributes: Any) -> SpanSeen:
    """The only span with these attributes."""
    wanted = {key.replace("__", "."): value for key, value in attributes.items()}
    found = [s for s in seen.spans if wanted.items() <= s.attributes.items()]
    assert len(found) == 1, found
    return found[0]


def task_of(seen: Seen, span: SpanSeen) -> SpanSeen:
    """The only span within `span`."""
    (found,) = (s for s in seen.spans if s.parent_id == span.span_id)
    assert (found.kind, found.trace_id) == (1, span.trace_id)
    return found


def test_one_span_and_one_duration_a_request(seen: Seen) -> None:
    assert Counter(span.name for span in seen.server_spans()) == {
        "GET /orders/{number}": 1,
        "renamed": 1,
        "GET /admin/users/{user}": 1,
        "GET /plain/hello/{name}": 4,
        "POST /v1/carts/{cart}/items": 1,
        "GET /v2/stock/rooms/{room}/shelves/{shelf}": 1,
        "GET /tenants/{tenant}/users/{user}": 1,
        "GET /static": 1,
        "GET /openapi.json": 1,
        "GET /speechless": 1,
        "GET /late": 1,
        "GET /boom": 1,
        "GET /admin/broken": 1,
        "GET /refused/{status}": 2,
        "GET": 2,
        "HTTP /orders/{number}": 1,
        "GET /stream": 3,
        "GET /healthzcare": 1,
    }
    assert seen.total(HTTP_SERVER_DURATION) == len(seen.server_spans())
    routes = Counter({p.attributes.get("http.route"): 0 for p in seen.named(HTTP_SERVER_DURATION)})
    for point in seen.named(HTTP_SERVER_DURATION):
        routes[point.attributes.get("http.route")] += int(point.value)
        # Nothing that a client can make up: no path, no host.
        assert set(point.attributes) <= {
            "http.request.method",
            "http.route",
            "http.response.status_code",
            "network.protocol.version",
            "url.scheme",
            "error.type",
        }
        assert point.bounds[0] == 0.005
    assert routes["/orders/{number}"] == 2
    assert "/healthz" not in routes


def test_attributes_are_the_stable_conventions(seen: Seen) -> None:
    span = one(seen, user_agent__original="tester")
    address, port = span.attributes.pop("client.address"), span.attributes.pop("server.port")
    assert (address, port > 0) == ("127.0.0.1", True)
    assert span.attributes == {
        "http.request.method": "GET",
        "http.route": "/orders/{number}",
        "http.response.status_code": 200,
        "url.path": "/orders/7",
        "url.query": "page=2&access_token=REDACTED",
        "url.scheme": "http",
        "network.protocol.version": "1.1",
        "server.address": "127.0.0.1",
        "user_agent.original": "tester",
    }
    assert (span.trace_id, span.parent_id, span.status) == (TRACE, PARENT, 0)
    assert span.resource["deployment.environment.name"] == "test"
    assert span.resource["service.version"] == "1.2.3"


def test_the_span_is_current_in_a_handler_that_runs_in_a_thread(seen: Seen) -> None:
    assert one(seen, http__route="/span").span_id == next(h["span"] for h in seen.headers if "span" in h)


def test_requests_in_one_go_are_not_within_each_other(seen: Seen) -> None:
    spans = [one(seen, url__path=f"/plain/hello/{name}") for name in ("one", "two", "three")]
    assert len({span.trace_id for span in spans}) == 3
    assert {span.parent_id for span in spans} == {""}


def test_unhandled_exceptions_are_500_with_one_event(seen: Seen) -> None:
    for route, kind in (("/boom", "ValueError"), ("/admin/broken", "LookupError")):
        span = one(seen, http__route=route)
        assert span.status == 2
        assert span.attributes["http.response.status_code"] == 500
        assert span.attributes["error.type"] == kind
        assert [(name, a["exception.type"]) for name, a in span.events] == [("exception", kind)]
    assert seen.total(HTTP_SERVER_DURATION, error__type="ValueError", http__response__status_code=500) == 1


def test_an_error_without_a_text_is_recorded_as_any_other(seen: Seen) -> None:
    span = one(seen, http__route="/speechless")
    kind = "tests.sdk.apps.web.Speechless"
    assert (span.status, span.attributes["error.type"]) == (2, kind)
    assert span.events[0][1]["exception.message"] == "<Speechless without a text>"
    assert seen.total(HTTP_SERVER_DURATION, error__type=kind) == 1


def test_what_the_server_logs_of_an_error_belongs_to_its_request(seen: Seen) -> None:
    logged = [log for log in seen.logs if str(log.body).startswith("Exception in ASGI application")]
    kinds = {log.attributes["exception.type"]: (log.trace_id, log.span_id) for log in logged}
    for route, kind in (("/boom", "ValueError"), ("/speechless", "tests.sdk.apps.web.Speechless")):
        span = one(seen, http__route=route)
        assert kinds[kind] == (span.trace_id, span.span_id)


def test_refusals_are_errors_from_500_on(seen: Seen) -> None:
    found = one(seen, http__route="/refused/{status}", http__response__status_code=404)
    assert (found.status, "error.type" in found.attributes, found.events) == (0, False, [])
    failed = one(seen, http__route="/refused/{status}", http__response__status_code=503)
    assert (failed.status, failed.attributes["error.type"], failed.events) == (2, "503", [])
    assert "http.route" not in one(seen, url__path="/nowhere").attributes
    odd = one(seen, http__request__method="_OTHER")
    assert odd.attributes["http.request.method_original"] == "BREW"


def test_streams_end_however_they_end(seen: Seen) -> None:
    broken = one(seen, url__query="fail=true")
    assert (broken.attributes["error.type"], len(broken.events), broken.status) == ("RuntimeError", 1, 2)
    assert one(seen, url__query="abandoned=1").status == 0


def test_background_tasks_do_not_lengthen_the_request(seen: Seen) -> None:
    span = one(seen, http__route="/v1/carts/{cart}/items")
    task = task_of(seen, span)
    assert (task.name, task.status) == ("BackgroundTask later", 0)
    done = next(log for log in seen.logs if log.body == "background done")
    assert (done.trace_id, done.span_id) == (task.trace_id, task.span_id)
    point = next(
        p
        for p in seen.named(HTTP_SERVER_DURATION)
        if p.attributes.get("http.route") == span.attributes["http.route"]
    )
    assert point.value == 1


def test_a_background_task_that_fails_is_an_error_of_its_own(seen: Seen) -> None:
    span = one(seen, http__route="/late")
    assert (span.status, span.attributes["http.response.status_code"], span.events) == (0, 200, [])
    task = task_of(seen, span)
    assert (task.status, task.attributes["error.type"]) == (2, "TimeoutError")
    assert [name for name, _ in task.events] == ["exception"]
    assert seen.total(HTTP_SERVER_DURATION, http__route="/late", http__response__status_code=200) == 1
    assert seen.total(HTTP_SERVER_DURATION, error__type="TimeoutError") == 0
    (told,) = (log for log in seen.logs if log.attributes.get("exception.type") == "TimeoutError")
    assert (told.trace_id, told.span_id) == (task.trace_id, task.span_id)


@pytest.mark.parametrize(
    ("host", "address", "port"),
    [
        (b"shop.test:8080", "shop.test", 8080),
        (b"shop.test", "shop.test", 443),
        (b"[::1]:90", "::1", 90),
        (b"shop.test:nonsense", "shop.test", 443),
    ],
)
def test_server_address_is_what_the_client_asked_for(host: bytes, address: str, port: int) -> None:
    scope = {"type": "http", "method": "GET", "scheme": "https", "path": "/", "headers": [(b"host", host)]}
    found = request_attributes(scope, {b"host": host}, "GET", "https")
    assert (found["server.address"], found["server.port"]) == (address, port)


def test_inside_one_process() -> None:
    """WebSockets, raw ASGI and repeated lifespans, by Starlette's client: no server is needed for these."""
    with running_sink() as sink:
        with start([sys.executable, "-m", "tests.sdk.apps.inside"], env=endpoint(sink)) as part:
            assert part.wait() == 0, part.output()
        seen = sink.seen
    assert [(s.name, s.attributes.get("http.response.status_code")) for s in seen.server_spans()] == [
        ("GET /ws/{room}", 101),
        ("GET /ws/{room}", 101),
        ("GET /ws/{room}", 403),
        ("GET /copied/{name}", 200),
        ("GET /dies", 500),
    ]
    fine, broken, refused, _, dies = seen.server_spans()
    assert (fine.status, broken.status, refused.status, dies.status) == (0, 2, 0, 2)
    assert [len(s.events) for s in (fine, broken, refused, dies)] == [0, 1, 0, 1]
    assert {s.end > 0 for s in seen.spans} == {True}
    # A handshake is a request; how long a socket is open is no latency.
    assert seen.total(HTTP_SERVER_DURATION) == 5
    assert seen.total(HTTP_SERVER_DURATION, http__response__status_code=101) == 2
    assert seen.total(HTTP_SERVER_DURATION, http__response__status_code=403) == 1
    opened = "websocket.server.connection.duration"
    assert (seen.total(opened), seen.total(opened, error__type="ValueError")) == (2, 1)
    points = seen.named("websocket.server.open_connections")
    assert {(p.attributes["http.route"], p.value) for p in points} == {("/ws/{room}", 0)}
    assert seen.total("http.server.response.body.size") == 2

"""Headers by list and excluded URLs, by the variables of OpenTelemetry's own instrumentations."""

from __future__ import annotations

import httpx
import pytest

from otel_kit.sdk.config.environment import Environment
from otel_kit.sdk.config.http import METHODS, resolve_http
from otel_kit.sdk.http.asgi import ExcludedUrls
from otel_kit.sdk.http.attributes import url_of
from otel_kit.sdk.http.headers import HeaderCapture
from tests.sdk.run import UVICORN, get, web
from tests.sdk.sink import running_sink

CAPTURE = "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_"


def test_headers_and_excluded_urls_of_a_running_service() -> None:
    env = {
        f"{CAPTURE}SERVER_REQUEST": "X-Tenant, accept.*,cookie",
        f"{CAPTURE}SERVER_RESPONSE": "content-.*",
        f"{CAPTURE}SANITIZE_FIELDS": "tenant",
        "OTEL_PYTHON_FASTAPI_EXCLUDED_URLS": "orders/4.,nowhere",
    }
    with running_sink() as sink, web(sink, *UVICORN, env=env) as (part, url):
        headers = {"x_tenant": "acme", "accept_language": "de", "cookie": "session=s3cret", "x_other": "no"}
        get(f"{url}/orders/7", **headers)
        for path in ("/orders/42", "/nowhere"):
            get(f"{url}{path}")
        part.terminate()
    (span,) = sink.seen.server_spans()
    captured = {k: v for k, v in span.attributes.items() if ".header." in k}
    secret = {captured.pop(f"http.request.header.{name}")[0] for name in ("x-tenant", "cookie")}
    assert "acme" not in str(secret)
    assert "s3cret" not in str(secret)
    assert captured == {
        "http.request.header.accept-encoding": ["identity"],
        "http.request.header.accept-language": ["de"],
        "http.response.header.content-length": ["12"],
        "http.response.header.content-type": ["application/json"],
    }
    assert sink.seen.total("http.server.request.duration") == 1


def test_a_header_is_wanted_by_its_whole_name_in_any_case() -> None:
    capture = HeaderCapture("h.", ["x-[ab]", "auth.*", "y"], ["b$"])
    headers = [
        (b"X-A", b"1"),
        (b"x-a", b"2"),
        (b"x-b", b"secret"),
        (b"x-ab", b"no"),
        (b"authorization", b"secret"),
        (b"y", b"caf\xe9"),
    ]
    assert capture.attributes(headers) == {
        "h.x-a": ["1", "2"],
        "h.x-b": ["[REDACTED]"],
        "h.authorization": ["[REDACTED]"],
        "h.y": ["caf\xe9"],
    }


def test_any_number_of_header_names_takes_no_memory() -> None:
    capture = HeaderCapture("h.", ["x-.*"], [])
    for number in range(2000):
        assert capture.attributes([(b"x-%d" % number, b"v" * 9000)]) == {f"h.x-{number}": ["v" * 4096]}
    assert len(capture._kept) <= 256


@pytest.mark.parametrize(
    ("environ", "url", "excluded"),
    [
        ({"OTEL_PYTHON_EXCLUDED_URLS": "client/.*/info, ping"}, "https://s.test/client/1/info", True),
        ({"OTEL_PYTHON_EXCLUDED_URLS": "client/.*/info, ping"}, "https://s.test/pinging", True),
        ({"OTEL_PYTHON_EXCLUDED_URLS": "^/ping"}, "https://s.test/ping", False),  # it is the whole URL
        (
            {"OTEL_PYTHON_EXCLUDED_URLS": "a", "OTEL_PYTHON_FASTAPI_EXCLUDED_URLS": "b"},
            "https://s.test/a",
            False,
        ),
    ],
)
def test_urls_are_excluded_by_what_is_found_in_them(
    environ: dict[str, str], url: str, excluded: bool
) -> None:
    patterns = resolve_http(Environment(environ)).excluded_urls
    assert ExcludedUrls(patterns).url_disabled(url) is excluded


def test_a_wrong_pattern_is_one_problem_and_the_others_hold() -> None:
    env = Environment(
        {f"{CAPTURE}SERVER_REQUEST": "x-(,x-a", "OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS": "GET"}
    )
    settings = resolve_http(env)
    assert settings.request_headers == ("x-a",)
    assert settings.methods == {"GET"}
    assert len(env.problems) == 1
    assert "'x-('" in env.problems[0]
    assert resolve_http(Environment({})).methods == METHODS


@pytest.mark.parametrize(
    ("scope", "headers", "url"),
    [
        ({"path": "/a", "scheme": "https"}, {b"host": b"s.test:8"}, "https://s.test:8/a"),
        ({"path": "/a", "server": ("10.0.0.1", 8000)}, {}, "http://10.0.0.1:8000/a"),
        ({"path": "/a", "server": ("/run/app.sock", None)}, {}, "http:///run/app.sock/a"),
        ({}, {}, "http://None"),
    ],
)
def test_the_url_that_is_matched(scope: dict[str, object], headers: dict[bytes, bytes], url: str) -> None:
    assert url_of(scope, headers) == url


def test_a_health_route_of_the_environment_begins_with_a_slash() -> None:
    env = Environment({"OTEL_KIT_HEALTH_ROUTES": "live,/ready"})
    assert resolve_http(env).health_routes == {"/ready"}
    assert "'live' is left out" in env.problems[0]


@pytest.mark.slow
def test_http_2_is_told() -> None:
    with (
        running_sink() as sink,
        web(sink, "-m", "hypercorn", "tests.sdk.apps.web:app") as (part, url),
    ):
        with httpx.Client(http1=False, http2=True) as client:
            assert client.get(f"{url}/orders/7").http_version == "HTTP/2"
        part.terminate()
    (span,) = sink.seen.server_spans()
    assert (span.name, span.attributes["network.protocol.version"]) == ("GET /orders/{number}", "2")
    assert span.attributes["server.address"] == "127.0.0.1"
    assert sink.seen.total("http.server.request.duration", network__protocol__version="2") == 1

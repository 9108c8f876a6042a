"""Who the client is and what it asked for, where proxies before the service tell."""

from __future__ import annotations

from typing import Any

import pytest

from otel_kit.sdk.http.attributes import request_attributes
from otel_kit.sdk.http.proxies import asked_of, scheme_of

PEER = "10.0.0.7"
HOST = {b"host": b"orders:8000"}


def told(headers: dict[bytes, bytes], peer: str = PEER, scheme: str = "http") -> dict[str, Any]:
    """The attributes that a proxy can change."""
    scope = {"method": "GET", "path": "/", "scheme": scheme, "client": (peer, 1)}
    asked = asked_of(headers)
    found = request_attributes(scope, headers, "GET", scheme_of(scheme, asked) if asked else scheme, asked)
    names = ("client.address", "network.peer.address", "server.address", "server.port", "url.scheme")
    return {name: found[name] for name in names if name in found}


DIRECT = {"client.address": PEER, "server.address": "orders", "server.port": 8000, "url.scheme": "http"}


@pytest.mark.parametrize(
    ("headers", "changes"),
    [
        ({}, {}),
        (
            {b"x-forwarded-for": b"203.0.113.9, 10.1.1.1"},
            {"client.address": "203.0.113.9", "network.peer.address": PEER},
        ),
        (
            {b"x-forwarded-for": b"[2001:db8::1]:443"},
            {"client.address": "2001:db8::1", "network.peer.address": PEER},
        ),
        (
            {b"x-forwarded-for": b"2001:db8::1"},
            {"client.address": "2001:db8::1", "network.peer.address": PEER},
        ),
        (
            {b"x-forwarded-for": b"203.0.113.9:5050"},
            {"client.address": "203.0.113.9", "network.peer.address": PEER},
        ),
        ({b"x-forwarded-for": b"unknown, 203.0.113.9"}, {}),
        ({b"x-forwarded-for": b"\xff" * 90_000}, {}),
        ({b"x-forwarded-for": b""}, {}),
        ({b"x-forwarded-proto": b"HTTPS"}, {"url.scheme": "https"}),
        ({b"x-forwarded-proto": b"made-up"}, {}),
        (
            {b"x-forwarded-proto": b"https", b"x-forwarded-host": b"shop.test"},
            {"url.scheme": "https", "server.address": "shop.test", "server.port": 443},
        ),
        (
            {
                b"forwarded": b'For="[2001:db8::2]:80";Proto=https;host="a.test:90";by=x, for=1.1.1.1',
                b"x-forwarded-for": b"9.9.9.9",
            },
            {
                "client.address": "2001:db8::2",
                "network.peer.address": PEER,
                "url.scheme": "https",
                "server.address": "a.test",
                "server.port": 90,
            },
        ),
        ({b"forwarded": b";;=;for=;\xff"}, {}),
    ],
)
def test_what_proxies_tell(headers: dict[bytes, bytes], changes: dict[str, Any]) -> None:
    assert told({**HOST, **headers}) == {**DIRECT, **changes}


def test_a_server_that_trusts_the_proxy_has_decided_who_the_client_is() -> None:
    """The first address may be made up by the client; servers count from the end."""
    headers = {**HOST, b"x-forwarded-for": b"203.0.113.99, 198.51.100.4, 10.0.0.7"}
    assert told(headers, peer="198.51.100.4")["client.address"] == "198.51.100.4"
    also = told({**headers, b"forwarded": b"for=203.0.113.99"}, peer="198.51.100.4")
    assert also["client.address"] == "198.51.100.4"
    long = told({**HOST, b"x-forwarded-for": b"203.0.113.9, " * 2000 + b"198.51.100.4"}, peer="198.51.100.4")
    assert long["client.address"] == "198.51.100.4"
    near = told(headers, peer="8.51.100.4")  # a part of an address is not that address
    assert near["client.address"] == "203.0.113.99"


def test_a_websocket_behind_tls_is_one_of_its_own_scheme() -> None:
    found = told({b"host": b"a.test", b"x-forwarded-proto": b"https"}, scheme="ws")
    assert (found["url.scheme"], found["server.port"]) == ("wss", 443)


@pytest.mark.parametrize(("version", "known"), [("2.0", "2"), ("1.1", "1.1"), ("9", "9")])
def test_versions_are_those_of_the_conventions(version: str, known: str) -> None:
    found = request_attributes({"path": "/", "http_version": version}, {}, "GET", "http")
    assert found["network.protocol.version"] == known

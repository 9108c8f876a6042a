"""Attributes of an HTTP server span, by the stable semantic conventions.

https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote_plus

from opentelemetry.propagators.textmap import Getter

__all__ = ["HEADERS", "METHODS", "redact", "request_attributes"]

Headers = list[tuple[bytes, bytes]]
METHODS: Final = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"}
)
#: A parameter whose name contains one of these carries a secret or may do so.
_SECRET: Final = (
    "auth",
    "code",
    "credential",
    "jwt",
    "key",
    "pass",
    "pwd",
    "secret",
    "session",
    "sig",
    "token",
)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}


class _Getter(Getter[Headers]):
    """Reads ASGI's headers, whose names are lower-case bytes."""

    def get(self, carrier: Headers, key: str) -> list[str] | None:
        wanted = key.lower().encode("latin-1")
        values = [value.decode("latin-1") for name, value in carrier if name == wanted]
        return [",".join(values)] if key == "baggage" and values else values or None

    def keys(self, carrier: Headers) -> list[str]:
        return [name.decode("latin-1") for name, _ in carrier]


HEADERS: Final = _Getter()


def request_attributes(scope: Mapping[str, Any]) -> dict[str, str | int]:
    """What is known when the request arrives."""
    method = scope.get("method", "GET")
    attributes: dict[str, str | int] = {
        "http.request.method": method if method in METHODS else "_OTHER",
        "url.scheme": scope.get("scheme", "http"),
        "url.path": scope.get("path", ""),
    }
    if method not in METHODS:
        attributes["http.request.method_original"] = method
    if scope.get("query_string"):
        attributes["url.query"] = redact(scope["query_string"].decode("latin-1"))
    if scope.get("http_version"):
        attributes["network.protocol.version"] = scope["http_version"]
    if scope.get("client"):
        attributes["client.address"] = scope["client"][0]
    agent = _header(scope, b"user-agent")
    if agent:
        attributes["user_agent.original"] = agent
    attributes.update(_server(scope))
    return attributes


def redact(query: str) -> str:
    """The query string with the values of parameters that may be secret replaced, all else as it came."""
    return "&".join(_redacted(query))


def _redacted(query: str) -> Iterator[str]:
    for pair in query.split("&"):
        name, equals, _ = pair.partition("=")
        plain = unquote_plus(name).lower()
        yield f"{name}=REDACTED" if equals and any(word in plain for word in _SECRET) else pair


def _header(scope: Mapping[str, Any], wanted: bytes) -> str | None:
    for name, value in scope.get("headers", ()):
        if name == wanted:
            text: str = value.decode("latin-1")
            return text
    return None


def _server(scope: Mapping[str, Any]) -> dict[str, str | int]:
    """Host and port as the client named them, else the address that the server listens on."""
    host = _header(scope, b"host")
    if not host:
        address, port = scope.get("server") or (None, None)
        found = {"server.address": address, "server.port": port}
        return {key: value for key, value in found.items() if value is not None}
    if host.startswith("["):
        address, _, rest = host[1:].partition("]")
        port_text = rest.removeprefix(":")
    else:
        address, _, port_text = host.partition(":")
    port = int(port_text) if port_text.isascii() and port_text.isdigit() else None
    port = port or _DEFAULT_PORTS.get(scope.get("scheme", "http"))
    return {"server.address": address} | ({} if port is None else {"server.port": port})

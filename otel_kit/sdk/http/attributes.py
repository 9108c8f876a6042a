"""Attributes of an HTTP server span, by the stable semantic conventions.

https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from otel_kit.sdk.http.headers import LONGEST
from otel_kit.sdk.http.proxies import Asked

__all__ = ["VERSIONS", "request_attributes", "url_of"]

#: Versions of HTTP that have no second number, which some servers write.
VERSIONS: Final = {"2.0": "2", "3.0": "3"}

Attributes = dict[str, str | int]
_DEFAULT_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}
#: Addresses by header and scheme; services are known by few names, so that a full memory is an attack.
_addresses: Final[dict[tuple[bytes, str], Attributes]] = {}
_ADDRESSES: Final = 512


def request_attributes(
    scope: Mapping[str, Any],
    headers: Mapping[bytes, bytes],
    method: str,
    scheme: str,
    asked: Asked | None = None,
) -> Attributes:
    """What is known when the request arrives.

    Args:
        scope: of ASGI; only its type is taken for granted.
        headers: one value each, by lower-case name.
        method: a known one, or ``_OTHER``.
        scheme: of the URL that the client has used.
        asked: what proxies tell.
    """
    host = (asked and asked.host) or headers.get(b"host")
    attributes: Attributes = {
        "http.request.method": method,
        "url.scheme": scheme,
        "url.path": (scope.get("path") or "")[:LONGEST],
        **(_address(host, scheme) if host else _listening(scope)),
    }
    if method == "_OTHER":
        attributes["http.request.method_original"] = str(scope.get("method"))[:64]
    query = scope.get("query_string")
    if query:
        attributes["url.query"] = query[:LONGEST].decode("latin-1")  # secrets go when it is sent
    version = scope.get("http_version")
    if version:
        attributes["network.protocol.version"] = VERSIONS.get(version, version)
    client = scope.get("client")
    if client and client[0]:
        attributes["client.address"] = client[0]
    # A server that trusts the proxy has put its word in the place of the peer.
    if asked is not None and asked.client and not (client and client[0] and client[0] in asked.clients):
        _set_client(attributes, asked.client)
    agent = headers.get(b"user-agent")
    if agent:
        attributes["user_agent.original"] = agent[:LONGEST].decode("latin-1")
    return attributes


def url_of(scope: Mapping[str, Any], headers: Mapping[bytes, bytes]) -> str:
    """The URL without its query, as the client named it."""
    host = headers.get(b"host")
    if host:
        name = host.decode("latin-1")
    else:
        address, port = (scope.get("server") or (None, None))[:2]
        name = f"{address}:{port}" if port not in (None, 80) else str(address)
    return f"{scope.get('scheme') or 'http'}://{name}{scope.get('path') or ''}"


def _set_client(attributes: Attributes, address: str) -> None:
    """The client behind a proxy, which is the peer."""
    peer = attributes.get("client.address")
    if peer is not None:
        attributes["network.peer.address"] = peer
    attributes["client.address"] = address


def _address(host: bytes, scheme: str) -> Attributes:
    """Host and port as the client named them."""
    found = _addresses.get((host, scheme))
    if found is None:
        found = _parsed(host[:LONGEST].decode("latin-1"), scheme)
        if len(_addresses) < _ADDRESSES and len(host) < 256:
            _addresses[host, scheme] = found
    return found


def _parsed(host: str, scheme: str) -> Attributes:
    if host.startswith("["):
        address, _, rest = host[1:].partition("]")
        port_text = rest.removeprefix(":")
    else:
        address, _, port_text = host.partition(":")
    port = int(port_text) if port_text.isascii() and port_text.isdigit() and len(port_text) < 6 else None
    port = port or _DEFAULT_PORTS.get(scheme)
    return {"server.address": address} | ({} if port is None else {"server.port": port})


def _listening(scope: Mapping[str, Any]) -> Attributes:
    """Where the server listens: a port, or a socket of a file, which has no port."""
    address, port = (scope.get("server") or (None, None))[:2]
    found = {"server.address": address, "server.port": port}
    return {key: value for key, value in found.items() if value is not None}

"""What a client has asked for, and who it is, where proxies before the service tell.

By the stable conventions these are the address, the host and the scheme that the original client used. Who
tells may be anybody: nothing but attributes of spans comes from here, and the scheme, which is one of four.

https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server-definitions
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

__all__ = ["Asked", "asked_of", "scheme_of"]

_FOR: Final = b"x-forwarded-for"
_HOST: Final = b"x-forwarded-host"
_PROTO: Final = b"x-forwarded-proto"
_STANDARD: Final = b"forwarded"
#: Characters of a header that are looked at.
_LONGEST: Final = 512
#: An address, not "unknown" or a name that a proxy has made up; with its port, perhaps.
_ADDRESS: Final = re.compile(
    r"\[([0-9A-Fa-f:.]{2,45})\](?::\d+)?|((?:\d{1,3}\.){3}\d{1,3})(?::\d+)?|([0-9A-Fa-f:.]{2,45})"
)
_SOCKETS: Final = {"http": "ws", "https": "wss"}


class Asked(NamedTuple):
    """What the proxy next to the client has told; empty where it has not.

    Attributes:
        client: IP address of the client.
        clients: the last ones of ``x-forwarded-for``, by which servers find out who the client is.
        scheme: ``http``, ``https``, or nothing.
        host: with its port, as in the header ``host``.
    """

    client: str
    clients: tuple[str, ...]
    scheme: str
    host: bytes


def asked_of(headers: Mapping[bytes, bytes]) -> Asked | None:
    """What proxies tell; None where they do not, as in most requests of services to each other."""
    if not (_FOR in headers or _STANDARD in headers or _PROTO in headers or _HOST in headers):
        return None
    clients, scheme, host = headers.get(_FOR, b""), headers.get(_PROTO, b""), headers.get(_HOST, b"")
    addresses = tuple(one.strip() for one in clients[-_LONGEST:].decode("latin-1").split(","))
    client, standard = _first(clients), headers.get(_STANDARD)
    if standard is not None:
        told = _elements(standard)
        scheme, host = told.get(b"proto", scheme), told.get(b"host", host)
        client = told.get(b"for", client)
    proto = _first(scheme).decode("latin-1").lower()
    return Asked(_address(client), addresses, proto if proto in _SOCKETS else "", _first(host))


def scheme_of(scheme: str, asked: Asked) -> str:
    """The scheme of the URL that the client has used, by the one that the server tells."""
    if not asked.scheme:
        return scheme
    return _SOCKETS[asked.scheme] if scheme in ("ws", "wss") else asked.scheme


def _first(value: bytes) -> bytes:
    return value[:_LONGEST].split(b",", 1)[0].strip()


def _elements(value: bytes) -> dict[bytes, bytes]:
    """The pairs of the first proxy, by RFC 7239."""
    found: dict[bytes, bytes] = {}
    for pair in _first(value).split(b";"):
        key, _, text = pair.partition(b"=")
        found[key.strip().lower()] = text.strip().strip(b'"')
    return found


def _address(value: bytes) -> str:
    found = _ADDRESS.fullmatch(value.decode("latin-1"))
    return "" if found is None else next(group for group in found.groups() if group)

"""What the requests of all three signals have in common: items in scopes, scopes in resources.

``ExportTraceServiceRequest``, ``ExportLogsServiceRequest`` and ``ExportMetricsServiceRequest`` number their
fields alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from otel_kit.sdk.otlp.wire import Attributes, field, utf8, varint

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

__all__ = ["Envelope", "Request"]

_REMEMBER: Final = 256
_REMEMBER_HEADS: Final = 4096


class Envelope:
    """Makes requests; resources and scopes, which hardly change, are encoded once.

    Args:
        attributes: writes those of resources and scopes.
    """

    def __init__(self, attributes: Attributes) -> None:
        self._attributes = attributes
        # By identity, with the object itself so that its id is not given to another.
        self._resources: dict[int, tuple[object, bytes, bytes]] = {}
        self._scopes: dict[int, tuple[object, bytes, bytes]] = {}
        self._heads: dict[int, bytes] = {}

    def request(self) -> Request:
        """A new one."""
        return Request(self)

    def heads(self, sizes: Sequence[int]) -> list[bytes]:
        """What stands before items of so many bytes; most have one of a few sizes."""
        known = self._heads
        new = set(sizes).difference(known)
        if new:
            if len(known) >= _REMEMBER_HEADS:
                known.clear()
                new = set(sizes)
            known.update((size, b"\x12" + varint(size)) for size in new)
        return [known[size] for size in sizes]

    def resource(self, resource: Resource) -> tuple[bytes, bytes]:
        """What stands before its scopes, and after them."""
        known = self._resources.get(id(resource))
        if known is None:
            parts: list[bytes] = []
            self._attributes.write(b"\x0a", resource.attributes, parts)
            head = field(b"\x0a", b"".join(parts))
            known = _kept(self._resources, resource, head, _url(resource.schema_url))
        return known[1], known[2]

    def scope(self, scope: InstrumentationScope | None) -> tuple[bytes, bytes]:
        """What stands before its items, and after them."""
        if scope is None:
            return field(b"\x0a", b""), b""
        known = self._scopes.get(id(scope))
        if known is None:
            parts = [field(b"\x0a", utf8(scope.name))] if scope.name else []
            if scope.version:
                parts.append(field(b"\x12", utf8(scope.version)))
            if scope.attributes:
                self._attributes.write(b"\x1a", scope.attributes, parts)
            head = field(b"\x0a", b"".join(parts))
            known = _kept(self._scopes, scope, head, _url(scope.schema_url))
        return known[1], known[2]


class Request:
    """One in the making.

    Args:
        envelope: knows resources and scopes.
    """

    def __init__(self, envelope: Envelope) -> None:
        self._envelope = envelope
        self._resources: dict[tuple[bytes, bytes], dict[tuple[bytes, bytes], list[bytes]]] = {}

    def bodies(self, resource: Resource, scope: InstrumentationScope | None) -> list[bytes]:
        """Where the encoded spans, log records or metrics of a scope go."""
        scopes = self._resources.setdefault(self._envelope.resource(resource), {})
        return scopes.setdefault(self._envelope.scope(scope), [])

    def packed(self) -> bytes:
        """All of it, in the order of first appearance."""
        # Bodies are long, and each copy costs new memory: they are put together once, at the very end.
        whole: list[bytes] = []
        for (resource_head, resource_tail), scopes in self._resources.items():
            inside: list[bytes] = []
            size = 0
            for (head, tail), bodies in scopes.items():
                sizes = list(map(len, bodies))
                heads = self._envelope.heads(sizes)
                items = [b""] * (2 * len(bodies))
                items[::2], items[1::2] = heads, bodies
                length = len(head) + sum(map(len, heads)) + sum(sizes) + len(tail)
                start = b"\x12" + varint(length)
                inside += (start, head, *items, tail)
                size += len(start) + length
            size += len(resource_head) + len(resource_tail)
            whole += (b"\x0a", varint(size), resource_head, *inside, resource_tail)
        return b"".join(whole)


def _kept(
    table: dict[int, tuple[object, bytes, bytes]], thing: object, head: bytes, tail: bytes
) -> tuple[object, bytes, bytes]:
    if len(table) >= _REMEMBER:
        table.clear()
    entry = table[id(thing)] = (thing, head, tail)
    return entry


def _url(schema_url: str | None) -> bytes:
    return field(b"\x1a", utf8(schema_url)) if schema_url else b""

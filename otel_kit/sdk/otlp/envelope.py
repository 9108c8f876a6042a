"""What the requests of all three signals have in common: items in scopes, scopes in resources.

``ExportTraceServiceRequest``, ``ExportLogsServiceRequest`` and ``ExportMetricsServiceRequest`` number their
fields alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from otel_kit.sdk.otlp.wire import Attributes, field, utf8, varint

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

__all__ = ["Envelope", "Item"]

#: A resource, a scope, and the encoded body of one span, log record or metric.
Item = tuple["Resource", "InstrumentationScope | None", bytes]
_REMEMBER: Final = 256
_REMEMBER_HEADS: Final = 4096


class Envelope:
    """Packs items into one request; resources and scopes, which hardly change, are encoded once.

    Args:
        attributes: writes those of resources and scopes.
    """

    def __init__(self, attributes: Attributes) -> None:
        self._attributes = attributes
        # By identity, with the object itself so that its id is not given to another.
        self._resources: dict[int, tuple[object, bytes, bytes]] = {}
        self._scopes: dict[int, tuple[object, bytes, bytes]] = {}
        self._heads: dict[int, bytes] = {}

    def pack(self, items: Iterable[Item]) -> bytes:
        """The body of the request, in the order of first appearance."""
        groups: dict[tuple[bytes, bytes], dict[tuple[bytes, bytes], list[bytes]]] = {}
        parts: list[bytes] = []
        before: tuple[object, object] | None = None
        heads = self._heads
        for resource, scope, body in items:
            if before is None or resource is not before[0] or scope is not before[1]:
                before = resource, scope
                parts = groups.setdefault(self._resource(resource), {}).setdefault(self._scope(scope), [])
            size = len(body)
            parts.append(heads.get(size) or self._head(size))
            parts.append(body)
        # Bodies are long, and each copy costs new memory: they are put together once, at the very end.
        whole: list[bytes] = []
        for (resource_head, resource_tail), scopes in groups.items():
            inside = [resource_head]
            for (head, tail), bodies in scopes.items():
                _append_field(b"\x12", [head, *bodies, tail], inside)
            inside.append(resource_tail)
            _append_field(b"\x0a", inside, whole)
        return b"".join(whole)

    def _head(self, size: int) -> bytes:
        """What stands before an item of that many bytes; most items have one of a few sizes."""
        head = b"\x12" + varint(size)
        if len(self._heads) < _REMEMBER_HEADS:
            self._heads[size] = head
        return head

    def _resource(self, resource: Resource) -> tuple[bytes, bytes]:
        known = self._resources.get(id(resource))
        if known is None:
            parts: list[bytes] = []
            self._attributes.write(b"\x0a", resource.attributes, parts)
            head = field(b"\x0a", b"".join(parts))
            known = _kept(self._resources, resource, head, _url(resource.schema_url))
        return known[1], known[2]

    def _scope(self, scope: InstrumentationScope | None) -> tuple[bytes, bytes]:
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


def _kept(
    table: dict[int, tuple[object, bytes, bytes]], thing: object, head: bytes, tail: bytes
) -> tuple[object, bytes, bytes]:
    if len(table) >= _REMEMBER:
        table.clear()
    entry = table[id(thing)] = (thing, head, tail)
    return entry


def _url(schema_url: str | None) -> bytes:
    return field(b"\x1a", utf8(schema_url)) if schema_url else b""


def _append_field(tag: bytes, parts: list[bytes], to: list[bytes]) -> None:
    """A field whose body is in parts."""
    to += (tag, varint(sum(map(len, parts))), *parts)

"""Where a request comes from: the context that its headers carry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry import propagate
from opentelemetry.context import Context, get_current
from opentelemetry.trace import Link

from otel_kit.sdk.context import trust
from otel_kit.sdk.http.headers import GETTER, Headers
from otel_kit.sdk.http.progress import PROGRESS

__all__ = ["around", "judged", "parent_of"]

#: The propagator, and the headers that it reads.
_known: tuple[Any, frozenset[bytes]] = (None, frozenset())


def around() -> Context:
    """The context in which we are called: empty, or that of a program that calls the application itself.

    Of requests that follow each other without a pause, servers begin the next one amid the answer to the one
    before, whose context has nothing to do with it.
    """
    current = get_current()
    before: Any = current.get(PROGRESS)
    return Context() if before is not None and before["over"] else current


def parent_of(headers: Headers, names: Mapping[bytes, bytes], current: Context) -> Context:
    """The parent's context; the current one where no header is for the propagators.

    Args:
        headers: all of them.
        names: the same by lower-case name.
        current: the context in which the server calls us.
    """
    global _known
    propagator = propagate.get_global_textmap()
    if _known[0] is not propagator:
        _known = propagator, frozenset(name.lower().encode("latin-1") for name in propagator.fields)
    fields = _known[1]
    # A propagator that does not tell its fields is always asked.
    if fields and fields.isdisjoint(names):
        return current
    return propagator.extract(headers, current, GETTER)


def judged(
    found: Context, current: Context, scope: Mapping[str, Any], names: Mapping[bytes, bytes]
) -> tuple[Context, list[Link] | None]:
    """The context to begin the span in, and its links, by the trust policy of the process.

    Args:
        found: the context that the headers carry.
        current: the context in which the server calls us.
        scope: of the request.
        names: its headers by lower-case name.
    """
    if trust.active is None:
        return found, None

    def header(name: str) -> str | None:
        value = names.get(name.encode("latin-1", "replace"))
        return None if value is None else value.decode("latin-1")

    client = scope.get("client")
    peer = client[0] if client else None
    return trust.active.parent(found, current, route=scope.get("path") or "", peer=peer, header=header)

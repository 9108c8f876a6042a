"""Where a request comes from: the context that its headers carry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry import propagate
from opentelemetry.context import Context

from otel_kit.sdk.http.headers import GETTER, Headers

__all__ = ["parent_of"]

#: The propagator, and the headers that it reads.
_known: tuple[Any, frozenset[bytes]] = (None, frozenset())


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

"""Where a request comes from: the context that its headers carry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry import propagate
from opentelemetry.context import Context

from otel_kit.sdk.http.headers import GETTER, Headers

__all__ = ["parent_of"]

_fields: tuple[Any, tuple[bytes, ...]] = (None, ())


def parent_of(headers: Headers, names: Mapping[bytes, bytes], current: Context) -> Context:
    """The parent's context; the current one where no header is for the propagators.

    Args:
        headers: all of them.
        names: the same by lower-case name.
        current: the context in which the server calls us.
    """
    global _fields
    propagator = propagate.get_global_textmap()
    known, fields = _fields
    if propagator is not known:
        fields = tuple(sorted(name.lower().encode("latin-1") for name in propagator.fields))
        _fields = propagator, fields
    for name in fields:
        if name in names:
            break
    else:
        if fields:  # a propagator that does not tell its fields is always asked
            return current
    return propagate.extract(headers, current, getter=GETTER)

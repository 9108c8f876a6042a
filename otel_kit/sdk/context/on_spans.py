"""Puts chosen entries of the baggage on each span, under their own keys."""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry import baggage
from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span, SpanProcessor

__all__ = ["BaggageOnSpans"]


class BaggageOnSpans(SpanProcessor):
    """Only added where there is something to put.

    Args:
        keys: of the entries.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = tuple(keys)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Put them on a span that begins."""
        entries = baggage.get_all(parent_context)
        if entries:
            for key in self._keys:
                value = entries.get(key)
                if value is not None:
                    span.set_attribute(key, str(value))

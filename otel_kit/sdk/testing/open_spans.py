"""Which spans have begun and not ended."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor

if TYPE_CHECKING:
    from opentelemetry.context import Context

__all__ = ["OpenSpans", "watch"]


class OpenSpans(SpanProcessor):
    """Knows which spans have begun and not ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[int, str] = {}

    def on_start(self, span: Any, parent_context: Context | None = None) -> None:
        """Count it in."""
        del parent_context
        with self._lock:
            self._open[span.get_span_context().span_id] = span.name

    def on_end(self, span: Any) -> None:
        """Count it out."""
        with self._lock:
            self._open.pop(span.get_span_context().span_id, None)

    def now(self) -> dict[int, str]:
        """Id and name of each open span."""
        with self._lock:
            return dict(self._open)


def watch(open_spans: OpenSpans) -> None:
    """Have the global provider, which is ours, tell of its spans."""
    provider: Any = trace.get_tracer_provider()
    add = getattr(provider, "add_span_processor", None)
    if add is not None:  # traces may be off
        add(open_spans)

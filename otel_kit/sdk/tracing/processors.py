"""The SDK's list of span processors: a fault in one of them reaches neither the service nor the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.sdk import trace as sdk

from otel_kit.sdk.notes import fault

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

__all__ = ["Processors", "Taker"]

_FAULT: Final = "a span processor of the service"


class Taker(sdk.SpanProcessor):
    """A processor that takes an ended span of ours as it is, without the copy that others get."""

    def take(self, span: Any) -> None:
        """Take it; it does not change any more."""
        raise NotImplementedError


class Processors(sdk.SynchronousMultiSpanProcessor):
    """Calls processors one after the other, and only for what they do.

    Attributes:
        starts: those that want to know of the start of a span.
        only: takes an ended span, where nothing else has to be done with it.
    """

    starts: tuple[Any, ...] = ()
    _endings: tuple[Any, ...] = ()
    only: Callable[[Span], None] | None = None
    _all: tuple[Any, ...] = ()

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    @property
    def _span_processors(self) -> tuple[SpanProcessor, ...]:
        return self._all

    @_span_processors.setter
    def _span_processors(self, processors: tuple[SpanProcessor, ...]) -> None:
        # The SDK sets this attribute whenever one is added; so does code that replaces processors.
        self._all = tuple(processors)
        self.starts = tuple(p for p in self._all if _does(p, "on_start"))
        self._endings = tuple(p for p in self._all if _does(p, "_on_ending"))
        first = self._all[0] if len(self._all) == 1 and not self.starts and not self._endings else None
        self.only = first.take if isinstance(first, Taker) else None

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Tell those that want to know."""
        for processor in self.starts:
            try:
                processor.on_start(span, parent_context=parent_context)
            except Exception:
                fault(_FAULT)

    def _on_ending(self, span: Span) -> None:
        for processor in self._endings:
            try:
                processor._on_ending(span)
            except Exception:
                fault(_FAULT)

    def on_end(self, span: ReadableSpan) -> None:
        """Tell all."""
        for processor in self._all:
            try:
                processor.on_end(span)
            except Exception:
                fault(_FAULT)

    def end(self, span: Any) -> None:
        """Both steps of the end of one of our spans, which the library's own processor takes as it is."""
        self._on_ending(span)
        readable = None
        for processor in self._all:
            try:
                if isinstance(processor, Taker):
                    processor.take(span)
                else:
                    readable = readable or span._readable_span()
                    processor.on_end(readable)
            except Exception:
                fault(_FAULT)

    def shutdown(self) -> None:
        """Shut all down."""
        for processor in self._all:
            try:
                processor.shutdown()
            except Exception:
                fault(_FAULT)


def _does(processor: Any, method: str) -> bool:
    """Whether it has that method, and not just the empty one of the base class."""
    found = getattr(processor, method, None)
    return found is not None and getattr(found, "__func__", None) is not getattr(sdk.SpanProcessor, method)

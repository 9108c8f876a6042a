"""What the tests of tracing share: a provider without a network, and processors that keep what they get."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace import Span as SdkSpan

from otel_kit.sdk.tracing.processors import Taker
from otel_kit.sdk.tracing.provider import TracerProvider
from otel_kit.sdk.tracing.span import Span

__all__ = ["Seen", "Taking", "provider", "told"]


class Seen(SpanProcessor):
    """A processor of a service."""

    def __init__(self) -> None:
        self.started: list[Any] = []
        self.ended: list[ReadableSpan] = []

    def on_start(self, span: SdkSpan, parent_context: Context | None = None) -> None:
        self.started.append((span, parent_context))

    def on_end(self, span: ReadableSpan) -> None:
        self.ended.append(span)


class Taking(Taker):
    """As the library's own processor."""

    def __init__(self) -> None:
        self.taken: list[Span] = []

    def take(self, span: Span) -> None:
        self.taken.append(span)


def provider(*processors: SpanProcessor, **options: Any) -> TracerProvider:
    made = TracerProvider(resource=Resource({}), shutdown_on_exit=False, **options)
    for processor in processors:
        made.add_span_processor(processor)
    return made


@contextmanager
def told() -> Iterator[list[str]]:
    """What the SDK and the library log meanwhile."""
    lines: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    handler = Handler()
    names = ("opentelemetry", "otel_kit")
    for name in names:
        logging.getLogger(name).addHandler(handler)
    yield lines
    for name in names:
        logging.getLogger(name).removeHandler(handler)

"""A service whose own objects fail in the threads of the library, also with what is no Exception."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable
from typing import Any

from opentelemetry import metrics, trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span, SpanProcessor
from opentelemetry.trace import SpanContext, TraceFlags, TraceState

import otel_kit


class Panic(BaseException):
    """As extensions written in Rust raise it."""


class Panicking(TraceState):
    """A state that cannot be read."""

    def items(self) -> Any:
        """Panic."""
        raise Panic("items")


def leaving(_: Any) -> Iterable[metrics.Observation]:
    """A callback that wants to end its thread."""
    sys.exit(5)


def panicking(_: Any) -> Iterable[metrics.Observation]:
    """A callback that panics in the middle."""
    yield metrics.Observation(1)
    raise Panic("callback")


class Spoiling(SpanProcessor):
    """A processor that spoils spans behind the API's back."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Take what protobuf has no place for."""
        del parent_context
        spoilt: Any = span
        if span.name == "spoilt":
            spoilt._context = SpanContext(1 << 200, 1, False, TraceFlags(1))
        elif span.name == "panicking":
            spoilt._context = SpanContext(1, 1, False, TraceFlags(1), Panicking([("a", "b")]))


def main() -> None:
    """Record what fails, flush, and then what does not."""
    meter = metrics.get_meter("panics")
    meter.create_observable_gauge("leaving", [leaving])
    meter.create_observable_gauge("panicking", [panicking])
    provider: Any = trace.get_tracer_provider()
    provider.add_span_processor(Spoiling())
    tracer = trace.get_tracer("panics")
    for turn in ("first", "second"):
        meter.create_counter("count").add(1, {"turn": turn})
        for name in (f"before {turn}", "spoilt", "panicking", f"after {turn}"):
            with tracer.start_as_current_span(name):
                pass
        logging.getLogger("panics").info(turn)
        otel_kit.force_flush(5)


if __name__ == "__main__":
    otel_kit.init(service="panics")
    main()

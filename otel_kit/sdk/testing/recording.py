"""What one test has emitted."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

from otel_kit.sdk.delivery.tally import Signal
from otel_kit.sdk.testing.items import Log, Metric, Span, expect
from otel_kit.sdk.testing.memory import Memory

if TYPE_CHECKING:
    from otel_kit.sdk.testing.open_spans import OpenSpans

__all__ = ["Recording"]

Item = TypeVar("Item")
#: pytest shows the line of the test that fails, and not these.
__tracebackhide__ = operator.methodcaller("errisinstance", AssertionError)
#: Metrics of the process and of its telemetry, which nobody has mistyped.
_NOT_OF_THE_SERVICE: Final = ("process.", "cpython.", "otel.sdk.", "otel_kit.")
#: Where the engine reads the time of spans.
_CLOCKS: Final = ("otel_kit.sdk.tracing.span.time_ns", "otel_kit.sdk.tracing.tracer.time_ns")
_EPOCH: Final = 1_700_000_000_000_000_000
_TICK: Final = 1_000_000


class Recording:
    """The telemetry of one test; each property asks the engine for all that was recorded so far.

    Args:
        memory: what was sent.
        flush: sends what there is.
        open_spans: knows the spans that have not ended.
    """

    def __init__(self, memory: Memory, flush: Callable[[float], bool], open_spans: OpenSpans) -> None:
        self._memory = memory
        self._flush = flush
        self._open_spans = open_spans
        self._patches: list[Any] = []
        self._requests = memory.listen()
        self.clear()

    @property
    def spans(self) -> list[Span]:
        """The spans that have ended, by their start."""
        from otel_kit.sdk.testing import decode

        return decode.spans(self._sent("traces"))

    @property
    def metrics(self) -> list[Metric]:
        """The metrics with the points of this test."""
        from otel_kit.sdk.testing import decode

        return decode.metrics(self._sent("metrics"))

    @property
    def logs(self) -> list[Log]:
        """The log records, in the order in which they were written."""
        from otel_kit.sdk.testing import decode

        return decode.logs(self._sent("logs"))

    @property
    def open_spans(self) -> list[str]:
        """Names of the spans that were started in this test and have not ended."""
        return [name for key, name in self._open_spans.now().items() if key not in self._before]

    def span(self, name: str, *, kind: str | None = None) -> Span:
        """The one span of this name; AssertionError where there is none or more than one.

        Args:
            name: of the span.
            kind: INTERNAL, SERVER, CLIENT, PRODUCER or CONSUMER, in capitals or not, where a client and a
                server of the test have spans of the same name.
        """
        spans = self.spans
        found = [s for s in spans if s.name == name and (kind is None or kind.upper() == s.kind)]
        return _only("span", name, found, sorted({f"{s.name} ({s.kind})" for s in spans}))

    def metric(self, name: str) -> Metric:
        """The metric of this name; AssertionError where it was not recorded."""
        metrics = self.metrics
        own = sorted({m.name for m in metrics if not m.name.startswith(_NOT_OF_THE_SERVICE)})
        return _only("metric", name, [m for m in metrics if m.name == name], own)

    def log(self, text: str) -> Log:
        """The one log record whose body contains `text`; AssertionError where there is none or more."""
        logs = self.logs
        return _only(
            "log record", text, [r for r in logs if text in str(r.body)], [str(r.body) for r in logs]
        )

    def children_of(self, span: Span) -> list[Span]:
        """The direct children of a span, by their start."""
        return [s for s in self.spans if (s.trace_id, s.parent_id) == (span.trace_id, span.span_id)]

    def assert_no_open_spans(self) -> None:
        """Every span that was started in this test has ended."""
        names = self.open_spans
        expect(not names, f"spans were started and never ended: {', '.join(sorted(names))}")

    def clear(self) -> None:
        """Forget what was recorded so far."""
        self._flush(10.0)
        self._requests.clear()
        self._before = frozenset(self._open_spans.now())

    def deterministic(self, seed: int = 0) -> None:
        """From now on, until the test ends: the same ids each time, and spans on a clock of its own.

        The clock begins at 1,700,000,000 s and goes on by 1 ms each time it is read.
        """
        from unittest import mock

        from otel_kit.sdk.tracing import ids

        ids._SOURCE.seed(seed)
        ticks = itertools.count(_EPOCH, _TICK)
        for name in _CLOCKS:
            patch = mock.patch(name, ticks.__next__)
            patch.start()
            self._patches.append(patch)

    def close(self) -> None:
        """Record nothing more, and give ids and time back to chance."""
        self._memory.forget(self._requests)
        from otel_kit.sdk.tracing import ids

        if self._patches:
            ids._SOURCE.seed()
        while self._patches:
            self._patches.pop().stop()

    def _sent(self, signal: Signal) -> Sequence[bytes]:
        self._flush(10.0)
        return [body for of, body in list(self._requests) if of == signal]


def _only(kind: str, name: str, found: Sequence[Item], known: Sequence[str]) -> Item:
    expect(found, f"no {kind} {name!r} was recorded; there are: {', '.join(known) or 'none'}")
    expect(
        len(found) == 1,
        f"{len(found)} {kind}s are named {name!r}; tell spans apart by kind, or look through the "
        f"list: {', '.join(known)}",
    )
    return found[0]

"""From a provider to the outbox; with the SDK's own provider where ours does not fit its release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opentelemetry.sdk import trace as sdk

from otel_kit.sdk.delivery.batch import BatchQueue
from otel_kit.sdk.notes import LOGGER
from otel_kit.sdk.otlp.spans import SpanEncoder
from otel_kit.sdk.tracing.processors import Taker

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.sampling import Sampler

    from otel_kit.sdk.delivery.outbox import Outbox
    from otel_kit.sdk.delivery.tally import Tally
    from otel_kit.sdk.privacy.redact import Redactor

__all__ = ["make_tracers"]

#: Characters of a text in an attribute, where OTEL_*_LIMIT say nothing; Datadog cuts it there as well.
#: Without a limit, bodies of requests that a service puts into spans would fill the memory.
LONGEST: Final = 25_000


class SpanQueue(Taker):
    """Feeds ended, sampled spans into a queue."""

    def __init__(self, queue: BatchQueue[ReadableSpan]) -> None:
        self._queue = queue
        self._put = queue.put

    def take(self, span: Any) -> None:
        """Keep one of our spans as it is; nobody changes it any more."""
        if span._context[3] & 1:
            self._put(span)

    def on_end(self, span: ReadableSpan) -> None:
        """Keep a span of the SDK's provider."""
        context = span.context
        if context is not None and context.trace_flags.sampled:
            self._put(span)

    def on_start(self, span: sdk.Span, parent_context: Context | None = None) -> None:
        """Nothing to do before the end."""

    def shutdown(self) -> None:
        """Flush, for 3 s at most; the library's own lifecycle closes the queue."""
        self._queue.flush(3.0)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """True when all that ended before is delivered in time."""
        return self._queue.flush(timeout_millis / 1000)


def make_tracers(
    resource: Resource,
    outbox: Outbox,
    tally: Tally,
    *,
    sampler: Sampler | None,
    meters: MeterProvider | None,
    redact: Redactor | None,
) -> tuple[sdk.TracerProvider, BatchQueue[ReadableSpan]]:
    """A provider, and the queue through which its spans go to `outbox`."""
    queue: BatchQueue[ReadableSpan] = BatchQueue(
        SpanEncoder(redact).encode, outbox, tally, prepare=None if redact is None else redact.compile
    )
    provider = _kind()(
        sampler=sampler,
        resource=resource,
        shutdown_on_exit=False,
        span_limits=_limits(),
        meter_provider=meters,
    )
    provider.add_span_processor(SpanQueue(queue))
    return provider, queue


def _limits() -> sdk.SpanLimits:
    given = sdk.SpanLimits()  # as the environment wants them
    return sdk.SpanLimits(max_attribute_length=LONGEST) if given.max_attribute_length is None else given


def _kind() -> type[sdk.TracerProvider]:
    """Our provider, tried out; the SDK's where something private is gone on which ours rests."""
    try:
        from otel_kit.sdk.tracing.provider import TracerProvider

        _try(TracerProvider)
        return TracerProvider
    except Exception:
        LOGGER.warning(
            "otel-kit: its spans do not fit this release of the OpenTelemetry SDK; the SDK's own are used, "
            "which cost more",
            exc_info=True,
        )
        return sdk.TracerProvider


def _try(kind: type[sdk.TracerProvider]) -> None:
    """Record and encode a span that has a little of everything."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace.sampling import DEFAULT_ON

    ended: list[ReadableSpan] = []

    class Keep(Taker):
        def take(self, span: Any) -> None:
            ended.append(span)

    none = sdk.SpanLimits.UNSET  # those of the environment may leave nothing of it
    limits = sdk.SpanLimits(none, none, none, none, none, none, none, none)
    provider = kind(sampler=DEFAULT_ON, resource=Resource({}), shutdown_on_exit=False, span_limits=limits)
    provider.add_span_processor(Keep())
    with provider.get_tracer(__name__).start_as_current_span(
        "outer", attributes={"a": 1, "b": ["c"]}
    ) as span:
        span.add_event("event", {"a": 1})
        provider.get_tracer(__name__).start_span("inner").end()
    inner, outer = ended
    if inner.parent != outer.context or dict(outer.attributes or {}) != {"a": 1, "b": ("c",)}:
        raise RuntimeError("a span is not as it was recorded")
    SpanEncoder().encode(ended)

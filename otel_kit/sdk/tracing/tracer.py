"""The SDK's tracer, lean: it asks the sampler only where it must, and makes a span in one go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import time_ns
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import trace as api
from opentelemetry.sdk import trace as sdk
from opentelemetry.sdk.trace._tracer_metrics import NoOpTracerMetrics
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision, Sampler
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.propagation import _SPAN_KEY
from opentelemetry.trace.span import DEFAULT_TRACE_STATE

from otel_kit.sdk.notes import fault
from otel_kit.sdk.tracing.attributes import Bounds
from otel_kit.sdk.tracing.context import current
from otel_kit.sdk.tracing.current import Current
from otel_kit.sdk.tracing.decision import LOW, plan
from otel_kit.sdk.tracing.ids import Ids, random_bits
from otel_kit.sdk.tracing.processors import Processors
from otel_kit.sdk.tracing.span import Span

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Link, TraceState
    from opentelemetry.util.types import Attributes

__all__ = ["Tracer"]

#: By the bits of sampled (1) and random (2).
_FLAGS: Final = [TraceFlags(bits) for bits in range(4)]
_KEEP: Final = Decision.RECORD_AND_SAMPLE
_DROP: Final = Decision.DROP
_RANDOM: Final = TraceFlags.RANDOM_TRACE_ID
_SAMPLED: Final = TraceFlags.SAMPLED
_INTERNAL: Final = SpanKind.INTERNAL
_new: Final = object.__new__
_new_context: Final[Any] = tuple.__new__


class Tracer(sdk.Tracer):
    """Makes spans; its attributes are those of the SDK's tracer."""

    _bounds: Bounds
    _uncounted: bool

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.prepare()

    def prepare(self) -> None:
        """Take over from the SDK's tracer whose class was changed to this one."""
        self._bounds = Bounds(self._span_limits)
        self._uncounted = type(self._tracer_metrics) is NoOpTracerMetrics
        for name in ("sampler", "id_generator"):
            if name in self.__dict__:
                setattr(self, name, self.__dict__.pop(name))

    @property
    def sampler(self) -> Sampler:
        """Decides which spans are recorded and sampled."""
        return self._sampler

    @sampler.setter
    def sampler(self, sampler: Sampler) -> None:
        self._sampler = sampler
        self._follows, self._bound, self._asked = plan(sampler)

    @property
    def id_generator(self) -> IdGenerator:
        """Makes the ids."""
        return self._id_generator

    @id_generator.setter
    def id_generator(self, generator: IdGenerator) -> None:
        self._id_generator = generator
        self._own_ids = type(generator) in (Ids, RandomIdGenerator)

    def start_as_current_span(  # type: ignore[override]
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = _INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = (),
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
        end_on_exit: bool = True,
    ) -> Current:
        """The span for a `with`, or around each call of a function that is decorated with this."""
        arguments = (
            name,
            context,
            kind,
            attributes,
            links,
            start_time,
            record_exception,
            set_status_on_exception,
        )
        return Current(self, arguments, end_on_exit)

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = _INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = (),
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> api.Span:
        """Start a span, which the caller ends."""
        try:
            holder = (current() if context is None else context).get(_SPAN_KEY)
            parent: Any = holder._context if type(holder) is Span else _parent(holder)
            if not self._tracer_config.is_enabled:
                return NonRecordingSpan(parent or api.INVALID_SPAN_CONTEXT)
            own_ids, bound = self._own_ids, self._bound
            if parent is None or not parent[5]:
                parent, state = None, DEFAULT_TRACE_STATE
                trace_id, bits = (random_bits(128) or 1, _RANDOM) if own_ids else self._foreign_id()
                decided = None if bound is None else trace_id & LOW < bound
            else:
                trace_id, _, _, bits, state, _ = parent
                decided = (
                    bits & _SAMPLED if self._follows else None if bound is None else trace_id & LOW < bound
                )
            if decided is None:
                decision, attributes, state = self._ask(
                    context, parent, trace_id, name, kind, attributes, links or ()
                )
            else:
                decision = _KEEP if decided else _DROP
            flags = _FLAGS[bits & _RANDOM | (decision is _KEEP)]
            if own_ids:
                own = _new_context(SpanContext, (trace_id, random_bits(64) or 1, False, flags, state, True))
            else:
                own = self._foreign_context(trace_id, flags, state)
            counted = None if self._uncounted else self._count(parent, decision)
            if decision is _DROP:
                return NonRecordingSpan(own)
            span = _new(Span)
            span._name = name
            span._context = own
            span._parent = parent
            span._kind = kind
            span._resource = self.resource
            span._instrumentation_scope = self._instrumentation_scope
            span._instrumentation_info = self.instrumentation_info
            span._span_processor = processor = self.span_processor
            span._bounds = self._bounds
            span._begin(attributes)
            if links or counted or not record_exception or not set_status_on_exception:
                span._add_rare(links, counted, record_exception, set_status_on_exception)
            span._start_time = time_ns() if start_time is None else start_time
            if type(processor) is not Processors or processor.starts:
                _tell(processor, span, context)
            return span
        except Exception:
            fault("starting a span")
            return api.INVALID_SPAN

    def _foreign_id(self) -> tuple[int, int]:
        generator = self._id_generator
        try:
            trace_id = generator.generate_trace_id()
            if isinstance(trace_id, int):
                return trace_id, _RANDOM if generator.is_trace_id_random() else 0
            raise TypeError(f"a trace id is no {type(trace_id).__name__}")
        except Exception:
            fault("the id generator of the service")
            return random_bits(128) or 1, _RANDOM

    def _foreign_context(self, trace_id: int, flags: TraceFlags, state: TraceState) -> SpanContext:
        try:
            return SpanContext(trace_id, self._id_generator.generate_span_id(), False, flags, state)
        except Exception:
            fault("the id generator of the service")
            return SpanContext(trace_id, random_bits(64) or 1, False, flags, state)

    def _ask(
        self, context: Context | None, parent: SpanContext | None, trace_id: int, *what: Any
    ) -> tuple[Decision, Attributes, TraceState]:
        """What the sampler says; without an answer the parent decides, or the span is kept."""
        try:
            result = self._asked.should_sample(context, trace_id, *what)
            if isinstance(result.decision, Decision):
                return result.decision, result.attributes, result.trace_state or DEFAULT_TRACE_STATE
            raise TypeError(f"a sampler's decision is no {type(result.decision).__name__}")
        except Exception:
            fault("the sampler of the service")
            kept = parent is None or parent.trace_flags.sampled
            state = DEFAULT_TRACE_STATE if parent is None else parent.trace_state
            return _KEEP if kept else _DROP, what[2], state

    def _count(self, parent: SpanContext | None, decision: Decision) -> Callable[[], None] | None:
        try:
            return self._tracer_metrics.start_span(parent, decision)
        except Exception:
            fault("counting spans")
            return None


def _parent(holder: Any) -> SpanContext | None:
    if holder is None or not isinstance(holder, api.Span):
        return None
    parent = holder.get_span_context()
    return parent if isinstance(parent, SpanContext) else None


def _tell(processor: Any, span: Span, context: Context | None) -> None:
    try:
        processor.on_start(span, parent_context=context)
    except Exception:
        fault("a span processor of the service")

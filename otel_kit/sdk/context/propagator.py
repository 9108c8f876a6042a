"""The global propagator: W3C trace context, other headers on the way in, baggage by an allow-list."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import translate
from typing import TYPE_CHECKING, Final
from urllib.parse import quote_plus, unquote_plus

from opentelemetry import baggage, trace
from opentelemetry.context import Context, create_key, get_value, set_value
from opentelemetry.propagators.textmap import (
    CarrierT,
    Getter,
    Setter,
    TextMapPropagator,
    default_getter,
    default_setter,
)
from opentelemetry.trace import SpanContext, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from otel_kit.sdk.notes import fault

if TYPE_CHECKING:
    from otel_kit.sdk.context.formats import Format

__all__ = ["KitPropagator", "is_deferred", "read_from", "with_deferred"]

_TRACE_CONTEXT: Final = TraceContextTextMapPropagator()
#: Signs that trace context may have, https://www.w3.org/TR/trace-context/#tracestate-limits
_LONGEST: Final = 512
#: Version 0, https://www.w3.org/TR/trace-context/#traceparent-header
_TRACEPARENT: Final = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})", re.ASCII)
_DEFERRED: Final = create_key("otel-kit-deferred")
_FORMAT: Final = create_key("otel-kit-format")
#: https://www.w3.org/TR/baggage/#limits
_MAX_BAGGAGE: Final = 8192
_MAX_ENTRIES: Final = 64
#: Signs that can stand in a value as it is stored: no header or log line can be broken by it.
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f]")


def is_deferred(context: Context) -> bool:
    """Whether the flag of the remote parent in this context does not decide about sampling."""
    return bool(get_value(_DEFERRED, context))


def with_deferred(context: Context) -> Context:
    """The context with a parent whose flag does not decide."""
    return set_value(_DEFERRED, True, context)


def read_from(context: Context) -> str:
    """Which headers the parent came from: ``w3c`` or the name of another format."""
    return str(get_value(_FORMAT, context) or "w3c")


def _trace_context(carrier: CarrierT, context: Context, getter: Getter[CarrierT]) -> Context:
    """What the API's own propagator does, quicker for what nearly all callers send."""
    values = getter.get(carrier, "traceparent")
    if not values or len(values[0]) > _LONGEST:  # of which the API's own would log a line each time
        return context
    if len(values) > 1 and len({*values}) > 1:  # nobody knows which is the caller's
        return context
    match = _TRACEPARENT.fullmatch(values[0])
    if match is None or 0 < sum(map(len, getter.get(carrier, "tracestate") or ())) <= _LONGEST:
        return _TRACE_CONTEXT.extract(carrier, context, getter)
    trace_id, span_id = int(match[1], 16), int(match[2], 16)
    if not trace_id or not span_id:
        return context
    span = SpanContext(trace_id, span_id, True, TraceFlags(int(match[3], 16)))
    return trace.set_span_in_context(trace.NonRecordingSpan(span), context)


class KitPropagator(TextMapPropagator):
    """Reads and writes context; what goes wrong leaves it as it was.

    Args:
        w3c: trace context is read and written.
        extract: names of formats that are read, in this order, where there is no valid ``traceparent``.
        allow: keys of baggage that come in and go out, with ``*`` for any signs.
        foreign: further propagators, whose context gives way to ours.
    """

    def __init__(
        self,
        *,
        w3c: bool = True,
        extract: Sequence[str] = (),
        allow: Sequence[str] = (),
        foreign: Sequence[TextMapPropagator] = (),
    ) -> None:
        self._w3c = w3c
        self._formats: Sequence[tuple[str, Format]] = ()
        if extract:
            from otel_kit.sdk.context.formats import FORMATS

            self._formats = [(name, FORMATS[name]) for name in extract]
        self._allowed = re.compile("|".join(map(translate, allow))) if allow else None
        self._foreign = tuple(foreign)

    @property
    def fields(self) -> set[str]:
        """Headers without which there is nothing to read; empty where that is not known."""
        found = {"traceparent", "tracestate"} if self._w3c else set()
        found.update(header for _, format_ in self._formats for header in format_.headers)
        if self._allowed is not None:
            found.add("baggage")
        for propagator in self._foreign:
            if not propagator.fields:
                return set()
            found |= propagator.fields
        return found

    def extract(
        self,
        carrier: CarrierT,
        context: Context | None = None,
        getter: Getter[CarrierT] = default_getter,
    ) -> Context:
        """`context` with the parent and the baggage that the carrier holds."""
        found = Context() if context is None else context
        for propagator in self._foreign:
            try:
                found = propagator.extract(carrier, found, getter)
            except Exception:
                fault("a propagator")
        try:
            found = self._parent(carrier, found, getter)
            if self._allowed is not None:
                found = self._baggage(carrier, found, getter, self._allowed)
        except Exception:  # of a carrier of the service
            fault("the propagator")
        return found

    def _parent(self, carrier: CarrierT, context: Context, getter: Getter[CarrierT]) -> Context:
        if self._w3c:
            found = _trace_context(carrier, context, getter)
            if found is not context:
                return found

        def get(name: str) -> str:
            values = getter.get(carrier, name)
            return values[0] if values else ""

        for name, format_ in self._formats:
            parent = format_.read(get)
            if parent is not None:
                found = trace.set_span_in_context(trace.NonRecordingSpan(parent.span), context)
                found = set_value(_FORMAT, name, found)
                return with_deferred(found) if parent.deferred else found
        return context

    def _baggage(
        self, carrier: CarrierT, context: Context, getter: Getter[CarrierT], allowed: re.Pattern[str]
    ) -> Context:
        header = ",".join(getter.get(carrier, "baggage") or ())
        if not header or len(header) > _MAX_BAGGAGE:
            return context
        for entry in header.split(",", _MAX_ENTRIES)[:_MAX_ENTRIES]:
            key, equals, value = entry.partition(";")[0].partition("=")
            key = unquote_plus(key.strip())
            if equals and allowed.fullmatch(key):
                value = unquote_plus(value.strip())
                if not _UNPRINTABLE.search(key + value):
                    context = baggage.set_baggage(key, value, context)
        return context

    def inject(
        self,
        carrier: CarrierT,
        context: Context | None = None,
        setter: Setter[CarrierT] = default_setter,
    ) -> None:
        """Write the current span, and the baggage that may leave."""
        try:
            if self._w3c:
                _TRACE_CONTEXT.inject(carrier, context, setter)
            if self._allowed is not None:
                self._write_baggage(carrier, context, setter, self._allowed)
        except Exception:
            fault("the propagator")
        for propagator in self._foreign:
            try:
                propagator.inject(carrier, context, setter)
            except Exception:
                fault("a propagator")

    def _write_baggage(
        self, carrier: CarrierT, context: Context | None, setter: Setter[CarrierT], allowed: re.Pattern[str]
    ) -> None:
        entries = baggage.get_all(context).items()
        pairs = [
            f"{quote_plus(str(key))}={quote_plus(str(value))}"
            for key, value in entries
            if allowed.fullmatch(str(key))
        ]
        header = ",".join(pairs[:_MAX_ENTRIES])
        if header and len(header) <= _MAX_BAGGAGE:
            setter.set(carrier, "baggage", header)

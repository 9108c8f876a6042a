"""Writes ended spans as an ``ExportTraceServiceRequest``.

Source of the field numbers: opentelemetry/proto/trace/v1/trace.proto.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from struct import Struct
from struct import error as StructError  # noqa: N812
from typing import TYPE_CHECKING, Any, Final

from otel_kit.sdk.otlp.envelope import Envelope
from otel_kit.sdk.otlp.wire import Attributes, Redact, Waiting, field, utf8, varint
from otel_kit.sdk.text import text_of

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import Event, ReadableSpan
    from opentelemetry.trace import Link, Status

__all__ = ["SpanEncoder"]

_IDS: Final = Struct(">2sQQ2sQ").pack
_PARENT: Final = Struct(">2sQ").pack
_TIMES: Final = Struct("<cQcQ").pack
_TIME: Final = Struct("<cQ").pack
_LOW: Final = (1 << 64) - 1
#: SpanKind of the protocol is that of the API plus one; key: that of the API.
_KINDS: Final = {kind: b"\x30" + varint(kind + 1) for kind in range(5)}
#: ``SpanFlags``: whether the parent is remote is known, and whether it is.
_LOCAL: Final = b"\x85\x01" + (0x100).to_bytes(4, "little")
_REMOTE: Final = b"\x85\x01" + (0x300).to_bytes(4, "little")
#: How many names are remembered as bytes, and how long they may be.
_REMEMBER: Final = 1024
_SHORT: Final = 256


#: Of a span: trace id, span id, trace state, id of the parent (0: none), whether that is remote, name, number
#: of the kind, start, end, attributes, dropped attributes, events, dropped events, links, dropped links and
#: status (None: unset). One that has a method `otlp_fields` gives them at once.
Fields = tuple[int, int, Any, int, bool, Any, int, Any, Any, Any, int, Any, int, Any, int, Any]


class SpanEncoder:
    """Encodes spans of the SDK's kind, ours quickly.

    Not safe between threads.

    Args:
        redact: applied to texts in attributes, to names and to the status' description.
    """

    def __init__(self, redact: Redact | None = None) -> None:
        self._attributes = Attributes(redact)
        self._envelope = Envelope(self._attributes)
        self._names: dict[str, bytes] = {}

    def encode(self, spans: Sequence[ReadableSpan]) -> bytes:
        """The body of a request.

        Raises:
            Exception: a span has something that the protocol has no place for, as an id that is too long.
        """
        # One list for all: each list and tuple that is kept brings the next garbage collection nearer.
        parts: list[bytes] = []
        ends: list[int] = []
        waiting: Waiting = {}
        for span in spans:
            self._span(span, parts, waiting)
            ends.append(len(parts))
        self._attributes.settle(waiting, parts)
        request = self._envelope.request()
        bodies: list[bytes] | None = None
        resource = scope = None
        begin = 0
        for span, end in zip(spans, ends, strict=True):
            if bodies is None or span.resource is not resource or span.instrumentation_scope is not scope:
                resource, scope = span.resource, span.instrumentation_scope
                bodies = request.bodies(resource, scope)
            bodies.append(b"".join(parts[begin:end]))
            begin = end
        return request.packed()

    def _span(self, span: ReadableSpan, parts: list[bytes], waiting: Waiting) -> None:
        own = getattr(span, "otlp_fields", None)
        (
            trace_id,
            span_id,
            state,
            parent,
            remote,
            name,
            kind,
            start,
            end,
            attributes,
            lost,
            events,
            lost_events,
            links,
            lost_links,
            status,
        ) = _fields(span) if own is None else own()
        parts.append(_IDS(b"\x0a\x10", trace_id >> 64, trace_id & _LOW, b"\x12\x08", span_id))
        if state:
            parts.append(field(b"\x1a", utf8(",".join([f"{key}={value}" for key, value in state.items()]))))
        if parent:
            parts.append(_PARENT(b"\x22\x08", parent))
        parts += (self._names.get(name) or self._name(name), _KINDS.get(kind, b""))
        try:
            parts.append(_TIMES(b"\x39", start, b"\x41", end))
        except StructError:
            parts.append(_some_times(start, end))
        if attributes:
            self._attributes.write_known(b"\x4a", attributes, parts, waiting)
        if lost:
            parts.append(b"\x50" + varint(lost))
        if events or lost_events:
            _append_each(b"\x5a", self._event, events, b"\x60", lost_events, parts)
        if links or lost_links:
            _append_each(b"\x6a", self._link, links, b"\x70", lost_links, parts)
        parts.append(b"\x7a\x00" if status is None else self._status(status))
        parts.append(_REMOTE if remote else _LOCAL)

    def _name(self, name: Any) -> bytes:
        text = name if isinstance(name, str) else text_of(name)
        data = field(b"\x2a", utf8(self._attributes.redacted("span.name", text)))
        if len(data) <= _SHORT:
            if len(self._names) >= _REMEMBER:
                self._names.clear()
            self._names[name] = data
        return data

    def _event(self, event: Event) -> bytes:
        text: Any = event.name
        name = self._attributes.redacted("event.name", text if isinstance(text, str) else text_of(text))
        parts = [_TIME(b"\x09", event.timestamp), field(b"\x12", utf8(name))]
        if event.attributes:
            self._attributes.write(b"\x1a", event.attributes, parts)
        _append_dropped(b"\x20", event.dropped_attributes, parts)
        return b"".join(parts)

    def _link(self, link: Link) -> bytes:
        context = link.context
        trace_id = context.trace_id
        parts = [_IDS(b"\x0a\x10", trace_id >> 64, trace_id & _LOW, b"\x12\x08", context.span_id)]
        if link.attributes:
            self._attributes.write(b"\x22", link.attributes, parts)
        _append_dropped(b"\x28", link.dropped_attributes, parts)
        parts.append(b"\x35" + (_REMOTE if context.is_remote else _LOCAL)[2:])
        return b"".join(parts)

    def _status(self, status: Status) -> bytes:
        body = b""
        if status.description:
            text = self._attributes.redacted("status.description", status.description)
            body = field(b"\x12", utf8(text))
        code = status.status_code.value
        return field(b"\x7a", body + b"\x18" + varint(code) if code else body)


def _fields(span: ReadableSpan) -> Fields:
    context, parent = span.get_span_context(), span.parent
    if context is None:
        raise ValueError("a span without a context")
    return (
        context.trace_id,
        context.span_id,
        context.trace_state,
        parent.span_id if parent else 0,
        parent.is_remote if parent else False,
        span.name,
        getattr(span.kind, "value", -1),
        span.start_time,
        span.end_time,
        span.attributes,
        span.dropped_attributes,
        span.events,
        span.dropped_events,
        span.links,
        span.dropped_links,
        span.status,
    )


def _some_times(*times: Any) -> bytes:
    """Start and end, where one is missing or no whole number of nanoseconds."""
    parts: list[bytes] = []
    for tag, time in zip((b"\x39", b"\x41"), times, strict=True):
        with contextlib.suppress(StructError, ValueError, OverflowError):
            parts.append(_TIME(tag, int(time) if isinstance(time, float) else time))
    return b"".join(parts)


def _append_each(
    tag: bytes, write: Callable[[Any], bytes], items: Any, tag_lost: bytes, lost: int, parts: list[bytes]
) -> None:
    """Events or links; one that has no place in the protocol is one of those that were dropped."""
    for item in items:
        try:
            parts.append(field(tag, write(item)))
        except Exception:
            lost += 1
    _append_dropped(tag_lost, lost, parts)


def _append_dropped(tag: bytes, count: int, parts: list[bytes]) -> None:
    if count:
        parts.append(tag + varint(count))

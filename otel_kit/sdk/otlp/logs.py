"""Writes log records as an ``ExportLogsServiceRequest``: entries of our own, and records of the SDK.

Source of the field numbers: opentelemetry/proto/logs/v1/logs.proto.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from struct import Struct
from typing import TYPE_CHECKING, Any, Final, TypeVar

from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from otel_kit.sdk.logs.entry import Entry, Error, Site, severity
from otel_kit.sdk.otlp.envelope import Envelope
from otel_kit.sdk.otlp.wire import Attributes, any_value, field, utf8, varint

if TYPE_CHECKING:
    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.trace import SpanContext

    from otel_kit.sdk.privacy.redact import Redactor

__all__ = ["LogEncoder", "record_attributes", "site_attributes"]

K = TypeVar("K")
V = TypeVar("V")
_TIME: Final = Struct("<cQ").pack
_TIMES: Final = Struct("<cQcQ").pack
_IDS: Final = Struct(">2sQQ2sQ").pack
_FLAGS: Final = Struct("<cI").pack
_LOW: Final = (1 << 64) - 1
_ATTRIBUTE: Final = b"\x32"
#: How many attributes `site_attributes` gives.
_OF_PLACE: Final = 4
_REMEMBER: Final = 4096
#: Names, in any case, that are no field's to Datadog: a ``status`` of HTTP would be that of the record.
#: Source: the logs part of DataDog/opentelemetry-mapping-go; and the names of the place.
_TAKEN: Final = frozenset(
    {"logger.name", "code.file.path", "code.function.name", "code.line.number"}
    | {"msg", "message", "log", "status", "severity", "level", "syslog.severity", "ddtags"}
    | {"traceid", "trace_id", "contextmap.traceid", "oteltraceid"}
    | {"spanid", "span_id", "contextmap.spanid", "otelspanid", "hostname", "service"}
)


def site_attributes(site: Site) -> dict[str, Any]:
    """Where a record comes from.

    The scope's name is no attribute in Datadog, and its facet for loggers is ``logger.name``.
    """
    name, _, path, line, function = site
    return {
        "logger.name": name,
        "code.file.path": path,
        "code.function.name": function,
        "code.line.number": line,
    }


def record_attributes(fields: Mapping[str, Any] | None, error: Error | None) -> dict[str, Any]:
    """Error, by the semantic conventions, and fields; one whose name is taken is ``extra.NAME``."""
    names = ("exception.type", "exception.message", "exception.stacktrace")
    found = {name: text for name, text in zip(names, error or (), strict=False) if text}
    for name, value in (fields or {}).items():
        found[f"extra.{name}" if name in found or name.lower() in _TAKEN else name] = value
    return found


class LogEncoder:
    """Encodes log records. Not safe between threads.

    Args:
        resource: the current one, for our own entries.
        redact: applied to bodies and to attributes.
        redacted: our own entries come redacted.
        count: most attributes of a record.
        length: characters of a text in an attribute; None for no limit.
    """

    def __init__(
        self,
        resource: Callable[[], Resource],
        redact: Redactor | None = None,
        *,
        redacted: bool = False,
        count: int = 128,
        length: int | None = None,
    ) -> None:
        self._resource = resource
        of_entries = self._redact = None if redacted else redact
        self._count = count
        self._length = length
        self._attributes = Attributes(redact)
        self._fields = Attributes(of_entries)
        self._places = Attributes()  # names in the code are nobody's secrets
        self._envelope = Envelope(self._attributes)
        #: Scope, and what all entries of a place have in common.
        self._sites: dict[Site, tuple[InstrumentationScope, bytes]] = {}
        self._scopes: dict[str, InstrumentationScope] = {}

    def encode(self, items: Sequence[Entry | ReadableLogRecord]) -> bytes:
        """The body of a request.

        Raises:
            Exception: a record has something that the protocol has no place for, as an id that is too long.
        """
        resource = self._resource()
        texts: Sequence[str] = [item[3] if isinstance(item, tuple) else "" for item in items]
        if self._redact is not None:
            texts = self._redact.texts("message", texts)
        sites, request = self._sites, self._envelope.request()
        bodies: list[bytes] = []
        before: InstrumentationScope | None = None
        for item, message in zip(items, texts, strict=True):
            if not isinstance(item, tuple):
                request.bodies(item.resource, item.instrumentation_scope).append(self._record(item))
                continue
            site, created, observed, _, fields, error, span = item
            scope, place = sites.get(site) or self._new_site(site)
            if scope is not before:
                bodies, before = request.bodies(resource, scope), scope
            text = message.encode() if message.isascii() else utf8(message)
            size = len(text)
            head = _BODIES[size] if size < _SHORT else _body(size)
            body = _TIMES(b"\x09", int(created * 1e9), b"\x59", observed) + head + text + place
            if fields or error or span is not None:
                body += self._beside(fields, error, span)
            bodies.append(body)
        return request.packed()

    def _beside(
        self, fields: Mapping[str, Any] | None, error: Error | None, span: SpanContext | None
    ) -> bytes:
        """What only some entries have."""
        parts: list[bytes] = []
        if fields or error:
            self._write(record_attributes(fields, error), parts)
        if span is not None:
            _append_span(span.trace_id, span.span_id, span.trace_flags, parts)
        return b"".join(parts)

    def _new_site(self, site: Site) -> tuple[InstrumentationScope, bytes]:
        parts = [_severity(*severity(site[1]))]
        self._places.write(_ATTRIBUTE, site_attributes(site), parts)
        scope = self._scopes.get(site[0]) or _kept(self._scopes, site[0], InstrumentationScope(site[0]))
        return _kept(self._sites, site, (scope, b"".join(parts)))

    def _write(self, attributes: Mapping[str, Any], parts: list[bytes]) -> None:
        """Append attributes, within the limits; the first of them are kept, and those of the place."""
        room = max(0, self._count - _OF_PLACE)
        lost = len(attributes) - room
        if lost > 0:
            attributes = dict(list(attributes.items())[:room])
            parts.append(b"\x38" + varint(lost))
        if self._length is not None:
            attributes = {key: _cut(value, self._length) for key, value in attributes.items()}
        self._fields.write(_ATTRIBUTE, attributes, parts)

    def _record(self, item: ReadableLogRecord) -> bytes:
        """One that was made by OpenTelemetry's API; the SDK has applied the limits."""
        record = item.log_record
        parts: list[bytes] = []
        if record.timestamp:
            parts.append(_TIME(b"\x09", record.timestamp))
        if record.observed_timestamp:
            parts.append(_TIME(b"\x59", record.observed_timestamp))
        number = getattr(record.severity_number, "value", 0)
        parts.append(_severity(record.severity_text or "", number))
        parts.append(field(b"\x2a", any_value(self._attributes.redacted("message", record.body))))
        if record.attributes:
            self._attributes.write(_ATTRIBUTE, record.attributes, parts)
        if item.dropped_attributes:
            parts.append(b"\x38" + varint(item.dropped_attributes))
        _append_span(record.trace_id, record.span_id, record.trace_flags, parts)
        if record.event_name:
            parts.append(field(b"\x62", utf8(record.event_name)))
        return b"".join(parts)


def _body(size: int) -> bytes:
    """What comes before a message of that many bytes."""
    head = b"\x0a" + varint(size)
    return b"\x2a" + varint(len(head) + size) + head


_SHORT: Final = 256
_BODIES: Final = [_body(size) for size in range(_SHORT)]


def _kept(table: dict[K, V], key: K, value: V) -> V:
    if len(table) >= _REMEMBER:
        table.clear()
    table[key] = value
    return value


def _severity(text: str, number: int) -> bytes:
    return (b"\x10" + varint(number) if number else b"") + (field(b"\x1a", utf8(text)) if text else b"")


def _append_span(trace_id: int | None, span_id: int | None, flags: int | None, parts: list[bytes]) -> None:
    if trace_id and span_id:
        parts.append(_IDS(b"\x4a\x10", trace_id >> 64, trace_id & _LOW, b"\x52\x08", span_id))
    elif trace_id:
        parts.append(field(b"\x4a", trace_id.to_bytes(16, "big")))
    elif span_id:
        parts.append(field(b"\x52", span_id.to_bytes(8, "big")))
    if flags:
        parts.append(_FLAGS(b"\x45", flags))


def _cut(value: Any, length: int) -> Any:
    if isinstance(value, str):
        return value[:length]
    if isinstance(value, Mapping):
        return {key: _cut(item, length) for key, item in value.items()}
    if isinstance(value, list):
        return [_cut(item, length) for item in value]
    return value

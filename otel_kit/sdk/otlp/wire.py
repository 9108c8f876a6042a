"""Protobuf's wire format, as far as OTLP needs it, and its ``AnyValue`` and ``KeyValue``.

https://protobuf.dev/programming-guides/encoding/ and opentelemetry/proto/common/v1/common.proto. A tag here
is the encoded key of a field: its number and wire type as bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from struct import Struct
from typing import Any, Final

from otel_kit.sdk.text import text_of

__all__ = ["Attributes", "Redact", "any_value", "field", "key_value", "utf8", "varint"]

#: What to send in the place of an attribute's value; must give the same for the same, since it is remembered.
Redact = Callable[[str, Any], Any]

_MASK: Final = (1 << 64) - 1
_LOWEST: Final = -(1 << 63)
_HIGHEST: Final = (1 << 63) - 1
_DOUBLE: Final = Struct("<d").pack
#: Bytes of an encoded attribute that is worth remembering.
_SHORT: Final = 128
#: Kind, key and value of an attribute.
_Tables = dict[type, dict[str, dict[Any, bytes]]]
#: Nesting of lists and mappings beyond which a value is sent as text; a circle ends here.
_DEPTH: Final = 8


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


_ONE: Final = [bytes([number]) for number in range(1 << 7)]
_MORE: Final = [bytes([number | 0x80]) for number in range(1 << 7)]
#: Those of one byte and of two, which made one by one would take 5 ms of the start.
_SMALL: Final = [*_ONE, *[low + high for high in _ONE[1:] for low in _MORE]]


def varint(number: int) -> bytes:
    """A whole number; a negative one as the 64 bits of its two's complement."""
    return _SMALL[number] if 0 <= number < 16384 else _varint(number & _MASK)


def field(tag: bytes, body: bytes) -> bytes:
    """A field with a length: bytes, text or a message."""
    return tag + varint(len(body)) + body


def utf8(text: str) -> bytes:
    """The text as protobuf takes it: lone surrogates, as in the name of a file, become question marks."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


#: How to get the plain value of a subclass, as an enumeration is one, whatever the subclass makes of `str()`.
_SUBCLASSED: Final[tuple[tuple[type, Callable[[Any], Any]], ...]] = (
    (str, str.__str__),
    (int, int.__int__),
    (float, float.__float__),
    (bytes, lambda value: bytes(memoryview(value))),
)


def any_value(value: Any, depth: int = 0) -> bytes:
    """The body of an ``AnyValue``; what OTLP has no kind for is sent as its text.

    Raises:
        Exception: whatever an object of the service raises when it is read.
    """
    kind = type(value)
    if kind is str:
        data = utf8(value)
        return b"\x0a" + varint(len(data)) + data
    if kind is bool:
        return b"\x10\x01" if value else b"\x10\x00"
    if kind is int:
        return b"\x18" + varint(value) if _LOWEST <= value <= _HIGHEST else any_value(text_of(value))
    if kind is float:
        return b"\x21" + _DOUBLE(value)
    if value is None:
        return b""
    if kind is bytes:
        return field(b"\x3a", value)
    for base, plain in _SUBCLASSED:
        if isinstance(value, base):
            return any_value(plain(value))
    if depth < _DEPTH:
        if isinstance(value, Mapping):
            pairs = (key_value(text_of(key), item, depth + 1) for key, item in value.items())
            return field(b"\x32", b"".join([field(b"\x0a", pair) for pair in pairs]))
        if isinstance(value, Sequence):
            items = (any_value(item, depth + 1) for item in value)
            return field(b"\x2a", b"".join([field(b"\x0a", item) for item in items]))
    return any_value(text_of(value))


def key_value(key: str, value: Any, depth: int = 0) -> bytes:
    """The body of a ``KeyValue``."""
    return field(b"\x0a", utf8(key)) + field(b"\x12", any_value(value, depth))


#: Kinds of values that are remembered.
_KEPT: Final = (str, int, bool)
#: For tag and key the texts that are to be redacted and encoded, and the places of each in the list of parts.
Waiting = dict[tuple[bytes, str], dict[str, list[int]]]


class Attributes:
    """Writes attributes, and remembers the bytes of short ones, most of which come again and again.

    Not safe between threads: each encoding thread has one of its own.

    Args:
        redact: applied to each value, whatever its kind, before it is encoded. Where it has a method `texts`,
            as a `Redactor` has it, that is given many at once.
        remember: how many pairs are kept.
    """

    def __init__(self, redact: Redact | None = None, *, remember: int = 4096) -> None:
        self._redact = redact
        self._texts: Callable[[str, Sequence[str]], Sequence[str]] | None = getattr(redact, "texts", None)
        self._limit = remember
        self._count = 0
        self._known: dict[bytes, _Tables] = {}
        self._heads: dict[str, bytes] = {}

    def write(self, tag: bytes, attributes: Mapping[str, Any], parts: list[bytes]) -> None:
        """Append one field with `tag` to `parts` for each attribute; what cannot be read is sent as text."""
        self.write_known(tag, attributes, parts, None)

    def write_known(
        self, tag: bytes, attributes: Mapping[str, Any], parts: list[bytes], waiting: Waiting | None
    ) -> None:
        """The same, but new texts get their place only: `settle` fills them in, of a whole batch at once."""
        tables = self._known.get(tag)
        if tables is None:
            # A table for each kind: 1, 1.0 and True would be found in each other's place.
            tables = self._known[tag] = {kind: {} for kind in _KEPT}
        for key, value in attributes.items():
            try:  # two thirds of the time of a table whose keys are pairs, since each pair needs a hash
                parts.append(tables[type(value)][key][value])
            except KeyError:
                parts.append(b"")
                self._write_new(tag, key, value, parts, waiting)

    def _write_new(
        self, tag: bytes, key: Any, value: Any, parts: list[bytes], waiting: Waiting | None
    ) -> None:
        kind = type(value)
        if waiting is not None and kind is str and type(key) is str and self._texts is not None:
            waiting.setdefault((tag, key), {}).setdefault(value, []).append(len(parts) - 1)
            return
        data = parts[-1] = self._encode(tag, key, value)
        if kind in _KEPT and len(data) <= _SHORT:
            self._keep(tag, key, value, data)

    def settle(self, waiting: Waiting, parts: list[bytes]) -> None:
        """Redact and encode what `write_known` has left."""
        for (tag, key), texts in waiting.items():
            values = list(texts)
            clean = values if self._texts is None else self._texts(key, values)
            for value, (text, places) in zip(clean, texts.items(), strict=True):
                data = self._field(tag, key, any_value(value))
                for place in places:
                    parts[place] = data
                if len(data) <= _SHORT:
                    self._keep(tag, key, text, data)

    def _encode(self, tag: bytes, key: Any, value: Any) -> bytes:
        name = key if type(key) is str else text_of(key)
        try:
            body = any_value(value if self._redact is None else self.redacted(name, value))
        except Exception:  # of an object of the service
            body = any_value(self.redacted(name, text_of(value)))
        return self._field(tag, name, body)

    def _field(self, tag: bytes, name: str, body: bytes) -> bytes:
        head = self._heads.get(name) or self._head(name)
        size = varint(len(body))
        return b"".join((tag, varint(len(head) + len(size) + len(body)), head, size, body))

    def _head(self, name: str) -> bytes:
        """What comes before the value: keys are few, also where values are many."""
        head = field(b"\x0a", utf8(name)) + b"\x12"
        if len(head) <= _SHORT:
            if len(self._heads) >= self._limit:
                self._heads.clear()
            self._heads[name] = head
        return head

    def redacted(self, key: str, value: Any) -> Any:
        """The value as it may be sent."""
        return value if self._redact is None else self._redact(key, value)

    def _keep(self, tag: bytes, key: str, value: Any, data: bytes) -> None:
        if isinstance(value, str) and len(value) > _SHORT:
            return  # redacted to something short: what it was must not stay in memory
        if self._count >= self._limit:
            for tables in self._known.values():
                for each in tables.values():
                    each.clear()
            self._count = 0
        self._known[tag][type(value)].setdefault(key, {})[value] = data
        self._count += 1

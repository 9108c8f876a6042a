"""Counts the items of an OTLP request by walking the wire format: much quicker than decoding it.

Requests of traces, metrics and logs share one shape: field 1 is a resource, its field 2 a scope, and the
scope's field 2 a span, metric or log record.
"""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["count_items"]

_LENGTH_DELIMITED = 2
_FIXED_SIZES = {1: 8, 5: 4}


def count_items(body: bytes) -> int:
    """How many spans, metrics or log records an OTLP request holds.

    Raises:
        ValueError: it is no protobuf message.
        IndexError: it is cut short.
    """
    return sum(
        1
        for resource in _messages(body, 0, len(body), 1)
        for scope in _messages(body, *resource, 2)
        for _ in _messages(body, *scope, 2)
    )


def _messages(body: bytes, position: int, end: int, wanted: int) -> Iterator[tuple[int, int]]:
    """Begin and end of each embedded message that has the number `wanted`."""
    while position < end:
        tag, position = _varint(body, position)
        kind = tag & 7
        if kind == _LENGTH_DELIMITED:
            size, position = _varint(body, position)
            if tag >> 3 == wanted:
                yield position, position + size
            position += size
        elif kind == 0:
            _, position = _varint(body, position)
        elif kind in _FIXED_SIZES:
            position += _FIXED_SIZES[kind]
        else:
            raise ValueError(f"wire type {kind} is not of OTLP")


def _varint(body: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = body[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7

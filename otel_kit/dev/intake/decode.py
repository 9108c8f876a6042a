"""Bytes of an OTLP request -> the protobuf message, from protobuf or JSON.

JSON follows OTLP rather than protobuf: trace and span ids are hex, not base64, and unknown keys are ignored
(https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding).
"""

from __future__ import annotations

import base64
import json
from typing import Any, Final, Literal, TypeVar

from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message

from otel_kit.dev.errors import Refusal

__all__ = ["JSON", "PROTOBUF", "content_type", "decode", "encode"]

ContentType = Literal["application/x-protobuf", "application/json"]
PROTOBUF: Final = "application/x-protobuf"
JSON: Final = "application/json"
_HEX_KEYS: Final = frozenset({"traceId", "spanId", "parentSpanId"})
_NOT_JSON: Final = (
    json_format.ParseError,
    ValueError,
    TypeError,
    AttributeError,
    OverflowError,
    RecursionError,
    SystemError,
)
_MAX_DEPTH: Final = 100

M = TypeVar("M", bound=Message)


def content_type(header: str) -> ContentType:
    """Which of the two encodings a Content-Type names; 415 for any other."""
    name = header.partition(";")[0].strip().lower()
    if name == PROTOBUF:
        return PROTOBUF
    if name == JSON:
        return JSON
    raise Refusal(415, f"content-type {name!r} is not supported: send {PROTOBUF} or {JSON}")


def decode(body: bytes, kind: ContentType, into: M) -> M:
    """Fill `into` from `body`; 400 with the reason when it is not such a message."""
    name = into.DESCRIPTOR.name
    try:
        if kind == PROTOBUF:
            into.ParseFromString(body)
        else:
            found = json.loads(body)
            # ParseDict takes an empty list or text for an empty object.
            if not isinstance(found, dict):
                raise TypeError("it is no object")
            json_format.ParseDict(_ids_to_base64(found, 0), into, ignore_unknown_fields=True)
    except DecodeError:
        raise Refusal(400, f"the body is not an {name} in protobuf") from None
    # Protobuf's parser ends in many ways: a list in place of an enum is a SystemError.
    except _NOT_JSON as error:
        raise Refusal(400, f"the body is not an {name} in JSON: {str(error)[:200]}") from None
    return into


def encode(message: Message, kind: ContentType) -> bytes:
    """Write `message` in the encoding of the request."""
    if kind == PROTOBUF:
        return message.SerializeToString()
    return json_format.MessageToJson(message, indent=None).encode()


def _ids_to_base64(value: Any, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise ValueError(f"more than {_MAX_DEPTH} levels of nesting")
    if isinstance(value, list):
        return [_ids_to_base64(item, depth + 1) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _hex_to_base64(item)
        if key in _HEX_KEYS and isinstance(item, str)
        else _ids_to_base64(item, depth + 1)
        for key, item in value.items()
    }


def _hex_to_base64(text: str) -> str:
    try:
        return base64.b64encode(bytes.fromhex(text)).decode()
    except ValueError:
        raise ValueError(f"{text[:40]!r} is not an id in hex") from None

"""The attributes of a span: their limits, and the SDK's view of them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.attributes import BoundedAttributes

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanLimits

__all__ = ["PLAIN", "Bounds", "SpanAttributes", "shortened"]

#: Kinds of values that need no cleaning.
PLAIN: Final = frozenset({str, int, float, bool, bytes})
_ENDLESS: Final = 1 << 62


class Bounds:
    """The limits of spans, as the hot path asks for them.

    Attributes:
        limits: the SDK's.
        room: how many attributes a span may have.
        longest: characters of a text in one of them.
    """

    __slots__ = ("limits", "longest", "room")

    def __init__(self, limits: SpanLimits) -> None:
        self.limits = limits
        self.room = _or_endless(limits.max_span_attributes)
        self.longest = _or_endless(limits.max_span_attribute_length)

    def copied(self, attributes: Any) -> dict[str, Any] | None:
        """A copy with long texts cut; None where a value needs more cleaning, or some have no room."""
        longest = self.longest
        try:
            new = dict(attributes)
        except Exception:
            return None
        for key, value in new.items():
            kind = type(value)
            if kind not in PLAIN or type(key) is not str or not key:
                return None
            if kind is str and len(value) > longest:
                new[key] = value[:longest]
        return new if len(new) <= self.room else None


def _or_endless(limit: int | None) -> int:
    return _ENDLESS if limit is None else limit


def shortened(attributes: Any, limits: SpanLimits) -> Any:
    """Attributes of an event or a link with long texts cut; the SDK would write a warning for each."""
    longest = limits.max_attribute_length
    if longest is None or not isinstance(attributes, Mapping):
        return attributes
    return {key: value[:longest] if type(value) is str else value for key, value in attributes.items()}


class SpanAttributes(BoundedAttributes):
    """The SDK's view of the attributes of one of our spans: live, bounded, cleaning."""

    def __init__(self, span: Any) -> None:
        self._span = span
        self._dict = span._values
        self.maxlen = span._limits.max_span_attributes
        self.max_value_len = span._limits.max_span_attribute_length
        self._lock = threading.Lock()

    @property
    def dropped(self) -> int:
        """How many there was no room for."""
        count: int = self._span._lost
        return count

    @dropped.setter
    def dropped(self, count: int) -> None:
        self._span._lost = count

    @property
    def _immutable(self) -> bool:
        return self._span._end_time is not None

    @_immutable.setter
    def _immutable(self, value: bool) -> None:
        """The end of the span decides."""

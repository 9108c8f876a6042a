"""The attributes of a span: their limits, and the SDK's view of them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.attributes import BoundedAttributes

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanLimits

__all__ = ["Bounds", "SpanAttributes"]

#: Kinds of values that need no cleaning.
_PLAIN: Final = frozenset({str, int, float, bool, bytes})


class Bounds:
    """The limits of spans, as the hot path asks for them.

    Attributes:
        limits: the SDK's.
        room: how many attributes a span may have.
        plain: kinds of values that can be taken as they are.
    """

    __slots__ = ("limits", "plain", "room")

    def __init__(self, limits: SpanLimits) -> None:
        self.limits = limits
        self.room = 1 << 62 if limits.max_span_attributes is None else limits.max_span_attributes
        self.plain = _PLAIN if limits.max_span_attribute_length is None else _PLAIN - {str}


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

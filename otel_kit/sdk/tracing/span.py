"""The SDK's span, lean: attributes in a plain dict, no lock, events and links only where there are any.

The interpreter's own lock is enough: each change is one operation on a dict, or happens between two points
at which the interpreter could change to another thread.
"""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from time import time_ns
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.sdk import trace as sdk
from opentelemetry.sdk.util import BoundedList
from opentelemetry.trace import SpanContext, Status, StatusCode
from opentelemetry.trace.span import DEFAULT_TRACE_STATE

from otel_kit.sdk.notes import fault, quietly
from otel_kit.sdk.spans import exception_attributes, failed, remember
from otel_kit.sdk.tracing.attributes import PLAIN, Bounds, SpanAttributes, shortened
from otel_kit.sdk.tracing.processors import Processors

if TYPE_CHECKING:
    from types import TracebackType

    from opentelemetry.sdk.trace import EventBase
    from opentelemetry.trace import Link
    from opentelemetry.util.types import AnyValue, Attributes

__all__ = ["Span"]

#: Under the SDK's name, as its own warnings come.
_LOG: Final = logging.getLogger(sdk.__name__)
#: Events and links of a span that has none.
_NOTHING: Final[tuple[Any, ...]] = ()
_UNSET: Final = Status(StatusCode.UNSET)
_UNREADABLE: Final = "reading attributes of a span"


class Span(sdk.Span):
    """A recording span; `Tracer` makes it without calling its constructor, which is the SDK's."""

    # What a span has unless it is said otherwise; an instance holds only what differs.
    _sampler = None
    _trace_config = None
    _record_end_metrics: Callable[[], None] | None = None
    _record_exception = True
    _set_status_on_exception = True
    _events: Any = _NOTHING
    _links: Any = _NOTHING
    _status = _UNSET
    _start_time: int | None
    _end_time: int | None = None
    _bounds: Bounds
    _values: dict[str, Any]
    _lost = 0

    #: For code of the SDK that is not replaced here.
    _lock: Any = functools.cached_property(lambda _: threading.Lock())

    @property
    def _limits(self) -> sdk.SpanLimits:
        return self._bounds.limits

    @_limits.setter
    def _limits(self, limits: sdk.SpanLimits) -> None:
        self._bounds = Bounds(limits)

    @property
    def _attributes(self) -> SpanAttributes:
        return SpanAttributes(self)

    @_attributes.setter
    def _attributes(self, attributes: Any) -> None:
        self._values = dict(attributes or {})
        self._lost = getattr(attributes, "dropped", 0)

    @property
    def dropped_attributes(self) -> int:
        """How many attributes there was no room for."""
        return self._lost

    def otlp_fields(self) -> tuple[Any, ...]:
        """All that is exported of the span itself; see `otel_kit.sdk.otlp.spans.Fields`."""
        trace_id, span_id, _, _, state, _ = self.get_span_context()
        parent, events, links, status = self._parent, self._events, self._links, self._status
        return (
            trace_id,
            span_id,
            None if state is DEFAULT_TRACE_STATE else state,
            0 if parent is None else parent[1],
            parent is not None and parent[2],
            self._name,
            getattr(self._kind, "_value_", -1),
            self._start_time,
            self._end_time,
            self._values,
            self._lost,
            events,
            0 if events is _NOTHING else events.dropped,
            links,
            0 if links is _NOTHING else links.dropped,
            None if status is _UNSET else status,
        )

    def _begin(self, attributes: Attributes) -> None:
        """Take the first attributes over."""
        new = self._bounds.copied(attributes) if attributes else {}
        self._values = {} if new is None else new
        if new is None:
            self._set_cleaned(attributes)

    def _set_cleaned(self, attributes: Any) -> None:
        try:
            self._attributes._set_items(attributes)
        except Exception:
            fault(_UNREADABLE)

    def _add_rare(
        self,
        links: Sequence[Link] | None,
        counted: Callable[[], None] | None,
        record_exception: bool,
        set_status_on_exception: bool,
    ) -> None:
        """What few spans have."""
        self._record_end_metrics = counted
        self._record_exception = record_exception
        self._set_status_on_exception = set_status_on_exception
        if links:
            try:
                self._links = self._new_links(links)
            except Exception:
                fault("the links of a span")

    def set_attribute(self, key: str, value: AnyValue) -> None:
        """Set one attribute; the last one set is the last in order, and the first makes room."""
        if self._end_time is not None:
            _LOG.warning("Setting attribute on ended span.")
            return
        values, bounds = self._values, self._bounds
        kind = type(value)
        if kind in PLAIN and type(key) is str and key:
            if kind is str and len(value) > bounds.longest:  # type: ignore[arg-type]
                value = value[: bounds.longest]  # type: ignore[index]
            if key in values:
                values.pop(key, None)
                values[key] = value
                return
            if len(values) < bounds.room:
                values[key] = value
                return
        try:
            self._attributes[key] = value
        except Exception:
            fault(_UNREADABLE)

    def set_attributes(self, attributes: Mapping[str, AnyValue]) -> None:
        """Set many: all at once where each is plain and there is room for all."""
        if self._end_time is not None:
            _LOG.warning("Setting attribute on ended span.")
            return
        try:
            new, values = self._bounds.copied(attributes), self._values
            if new is None or len(values) + len(new) > self._bounds.room:
                self._set_cleaned(attributes)
                return
            for key in new:
                values.pop(key, None)  # what is set again comes last
            values.update(new)
        except Exception:
            fault(_UNREADABLE)

    def add_event(self, name: str, attributes: Attributes = None, timestamp: int | None = None) -> None:
        """Add an event; without attributes where they cannot be read."""
        try:
            super().add_event(name, shortened(attributes, self._limits), timestamp)
        except Exception:
            fault(_UNREADABLE)
            quietly(_UNREADABLE, lambda: self._add_event(sdk.Event(name, None, timestamp)))

    def add_link(self, context: SpanContext, attributes: Attributes = None) -> None:
        """Add a link; without attributes where they cannot be read."""
        try:
            super().add_link(context, shortened(attributes, self._limits))
        except Exception:
            fault(_UNREADABLE)
            if isinstance(context, SpanContext):
                quietly(_UNREADABLE, functools.partial(super().add_link, context))

    def _is_over(self, method: str) -> bool:
        if self._end_time is None:
            return False
        _LOG.warning("Tried calling %s on an ended span.", method)
        return True

    def _add_event(self, event: EventBase) -> None:
        if self._is_over("_add_event"):
            return
        if self._events is _NOTHING:
            self.__dict__.setdefault("_events", BoundedList(self._limits.max_events))
        self._events.append(event)

    def _add_link(self, link: Link) -> None:
        if self._is_over("_add_link"):
            return
        if self._links is _NOTHING:
            self.__dict__.setdefault("_links", BoundedList(self._limits.max_links))
        self._links.append(link)

    def update_name(self, name: str) -> None:
        """Rename it."""
        if self._end_time is None or not quietly("renaming", lambda: self._is_over("update_name")):
            self._name = name

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Set the status: OK is final, and UNSET changes nothing."""
        try:
            if self._is_over("set_status"):
                return
            if isinstance(status, Status):
                if description is not None:
                    _LOG.warning(
                        "Description %s ignored. Use either `Status` or `(StatusCode, Description)`",
                        description,
                    )
            elif isinstance(status, StatusCode):
                status = Status(status, description)
            else:
                return
            if self._status.status_code is not StatusCode.OK and status.status_code is not StatusCode.UNSET:
                self._status = status
        except Exception:
            fault("the status of a span")

    def end(self, end_time: int | None = None) -> None:
        """End it; only the first call does something."""
        now = end_time
        if now is None:
            now, start = time_ns(), self._start_time
            if start is not None and now < start:
                now = start  # the clock was set back: to backends, less than nothing is centuries
        if self._end_time is not None:
            _LOG.warning("Calling end() on an ended span.")
            return
        if self._start_time is None:
            raise RuntimeError("Calling end() on a not started span.")
        self._end_time = now
        processor = self._span_processor
        only = processor.only if type(processor) is Processors else None
        try:
            if only is not None and self._record_end_metrics is None:
                only(self)
            else:
                self._end_with(processor)
        except Exception:
            fault("a span processor of the service")

    def _end_with(self, processor: Any) -> None:
        if self._record_end_metrics is not None:
            self._record_end_metrics()
        if type(processor) is Processors:
            processor.end(self)
        else:
            processor._on_ending(self)
            processor.on_end(self._readable_span())

    def record_exception(
        self,
        exception: BaseException,
        attributes: Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        """Add an exception event, also for an error that has no text."""
        found: dict[str, Any] = {"exception.escaped": str(escaped)}
        try:
            found = {**exception_attributes(exception), **found}
            found.update(attributes or {})
        except Exception:
            fault(_UNREADABLE)
        self.add_event("exception", found, timestamp)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        """End it, and note the error that ends it."""
        if exc_val is not None and self._end_time is None:
            remember(self, exc_val)
            if self._record_exception:
                self.record_exception(exc_val, escaped=True)
            if self._set_status_on_exception:
                self.set_status(quietly("the status of a span", lambda: failed(exc_val)) or StatusCode.ERROR)
        self.end()

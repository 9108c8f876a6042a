"""The SDK's LoggerProvider, for code that uses OpenTelemetry's API for logs or adds log record processors."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor, ReadableLogRecord, ReadWriteLogRecord
from opentelemetry.sdk._logs._internal import SynchronousMultiLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import NonRecordingSpan, set_span_in_context

from otel_kit.sdk.delivery.batch import BatchQueue
from otel_kit.sdk.logs.entry import Entry, severity
from otel_kit.sdk.notes import quietly
from otel_kit.sdk.otlp.logs import record_attributes, site_attributes

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider

__all__ = ["Provider"]


class Provider(LoggerProvider):
    """Its records end in the same queue as our own entries.

    Args:
        resource: of this process.
        queue: where records go.
        meters: for the SDK's own metrics.
        pass_through: told what is to take our own entries once there is another processor.
    """

    def __init__(
        self,
        resource: Resource,
        queue: BatchQueue[Any],
        meters: MeterProvider | None,
        pass_through: Callable[[Callable[[Entry], None]], None],
    ) -> None:
        super().__init__(
            resource=resource,
            shutdown_on_exit=False,
            multi_log_record_processor=Chain(_IntoQueue(queue)),
            meter_provider=meters,
        )
        self._pass_through = pass_through

    def add_log_record_processor(self, log_record_processor: LogRecordProcessor) -> None:
        """From now on entries pass through `log_record_processor`, too."""
        super().add_log_record_processor(log_record_processor)
        self._pass_through(self.emit)

    def emit(self, entry: Entry) -> None:
        """Let an entry pass through all processors, as a record of the SDK."""
        site, created, observed, message, fields, error, span = entry
        text, number = severity(site[1])
        record = LogRecord(
            context=None if span is None else set_span_in_context(NonRecordingSpan(span)),
            timestamp=int(created * 1e9),
            observed_timestamp=observed,
            severity_text=text,
            severity_number=SeverityNumber(number),
            body=message,
            attributes={**site_attributes(site), **record_attributes(fields, error)},
        )
        self.get_logger(site[0]).emit(record)


class Chain(SynchronousMultiLogRecordProcessor):
    """The processors of the service, and then ours: what they change is what is sent.

    Args:
        last: ours, if there is one.
    """

    def __init__(self, last: LogRecordProcessor | None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._last = () if last is None else (last,)
        self._log_record_processors = self._last

    def add_log_record_processor(self, log_record_processor: LogRecordProcessor) -> None:
        with self._lock:
            others = self._log_record_processors[: len(self._log_record_processors) - len(self._last)]
            self._log_record_processors = (*others, log_record_processor, *self._last)

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        for processor in self._log_record_processors:
            quietly("a log record processor", lambda one=processor: one.on_emit(log_record))  # type: ignore[misc]


class _IntoQueue(LogRecordProcessor):
    def __init__(self, queue: BatchQueue[Any]) -> None:
        self._queue = queue

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        # A copy without the context, which would hold a whole request in memory.
        record = copy.copy(log_record.log_record)
        record.context = Context()
        self._queue.put(
            ReadableLogRecord(
                log_record=record,
                resource=log_record.resource or Resource.get_empty(),
                instrumentation_scope=log_record.instrumentation_scope,
                limits=log_record.limits,
            )
        )

    def shutdown(self) -> None:
        """The library's own lifecycle closes the queue."""
        self._queue.flush(3.0)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._queue.flush(timeout_millis / 1000)

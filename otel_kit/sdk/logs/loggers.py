"""The way of log records to OTLP, and the SDK's provider beside it once anybody asks for that.

Importing the SDK's part for logs takes a tenth of the start of a process, and most services never use
OpenTelemetry's own API for logs.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from otel_kit.sdk.delivery.batch import BatchQueue
from otel_kit.sdk.logs.entry import Entry
from otel_kit.sdk.otlp.logs import LogEncoder

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.sdk.resources import Resource

    from otel_kit.sdk.delivery.outbox import Outbox
    from otel_kit.sdk.delivery.tally import Tally
    from otel_kit.sdk.logs.provider import Provider
    from otel_kit.sdk.privacy.redact import Redactor

__all__ = ["Loggers"]


class Loggers:
    """Queues entries, and records of OpenTelemetry's API.

    Attributes:
        emit: sends an entry, through the log record processors of the service once it has added any.

    Args:
        resource: of this process.
        outbox: takes the requests.
        tally: counts what is lost.
        meters: for the provider's own metrics.
        redact: see `LogEncoder`.
        redacted: see `LogEncoder`.
    """

    def __init__(
        self,
        resource: Resource,
        outbox: Outbox,
        tally: Tally,
        *,
        meters: MeterProvider | None,
        redact: Redactor | None,
        redacted: bool,
    ) -> None:
        self._resource = resource
        self._meters = meters
        self._provider: Provider | None = None
        encoder = LogEncoder(
            lambda: self._resource,
            redact,
            redacted=redacted,
            count=_limit("COUNT", 128),
            length=_limit("VALUE_LENGTH", None),
        )
        self.queue: BatchQueue[Entry | ReadableLogRecord] = BatchQueue(
            encoder.encode, outbox, tally, prepare=None if redact is None else redact.compile
        )
        self.emit: Callable[[Entry], None] = self.queue.put

    @property
    def provider(self) -> Provider:
        """The SDK's provider, made when it is first asked for."""
        if self._provider is None:
            from otel_kit.sdk.logs.provider import Provider

            self._provider = Provider(self._resource, self.queue, self._meters, self._pass_through)
        return self._provider

    def _pass_through(self, emit: Callable[[Entry], None]) -> None:
        self.emit = emit

    def update_resource(self, change: Resource) -> None:
        """For a child process, which is an instance of its own."""
        self._resource = self._resource.merge(change)
        if self._provider is not None:
            self._provider._update_resource(change)


def _limit(kind: str, default: Any) -> Any:
    """``OTEL_LOGRECORD_ATTRIBUTE_*_LIMIT``, else the general one; wrong values were removed by `init`."""
    for name in (f"OTEL_LOGRECORD_ATTRIBUTE_{kind}_LIMIT", f"OTEL_ATTRIBUTE_{kind}_LIMIT"):
        value = os.environ.get(name, "").strip()
        if value:
            return int(value)
    return default

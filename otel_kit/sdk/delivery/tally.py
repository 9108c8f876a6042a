"""Counts what one signal delivered and lost: as metrics for the backend, and log lines at long intervals.

The metrics are those of the semantic conventions for SDKs
(https://opentelemetry.io/docs/specs/semconv/otel/sdk-metrics/):
``otel.sdk.exporter.{span,log,metric_data_point}.exported`` and ``otel.sdk.processor.{span,log}.processed``,
both with ``error.type`` on what was lost.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, Literal

from otel_kit.sdk.notes import LOGGER, RateLimit

if TYPE_CHECKING:
    from opentelemetry.metrics import Counter, MeterProvider

__all__ = ["Signal", "Tally"]

Signal = Literal["traces", "metrics", "logs"]
_ITEM: Final[dict[Signal, str]] = {"traces": "span", "metrics": "metric_data_point", "logs": "log"}
#: Losses before a request was tried; all others are the exporter's.
_BEFORE_EXPORT: Final = frozenset({"queue_full", "already_shutdown", "too_large"})
#: Reason of a try that failed -> what it means, where its name does not say so.
_MEANINGS: Final = {
    "BadStatusLine": "what listens there speaks no HTTP",
    "ConnectionRefusedError": "nothing listens there",
    "ConnectionResetError": "the connection was closed",
    "DEADLINE_EXCEEDED": "no answer in time",
    "RemoteDisconnected": "the connection was closed without an answer",
    "SSLCertVerificationError": "its certificate is not trusted",
    "SSLError": "TLS fails, or is not spoken there",
    "TimeoutError": "no answer in time",
    "UNAVAILABLE": "no gRPC server answers there",
    "gaierror": "the name of the host cannot be resolved",
}
#: Losses that are no matter of the way to the collector, which the doctor tries.
_INSIDE: Final = _BEFORE_EXPORT | {"encode", "fault", "invalid_measurement"}
_NEXT: Final = "; run otel-kit doctor"


class Tally:
    """Deliveries and losses of one signal in this process.

    Args:
        signal: traces, metrics or logs.
        protocol: how it is exported, ``http/protobuf`` or ``grpc``.
        endpoint: where to, for the log line.
    """

    def __init__(self, signal: Signal, *, protocol: str, endpoint: str) -> None:
        self.signal: Final = signal
        self.name_target(protocol, endpoint)
        self._exported: Counter | None = None
        self._processed: Counter | None = None
        self.renew_after_fork()

    def name_target(self, protocol: str, endpoint: str) -> None:
        """Where to, from now on."""
        component = "otlp_grpc" if protocol == "grpc" else "otlp_http"
        self._endpoint = endpoint
        self._attributes = {"otel.component.type": f"{component}_{_ITEM[self.signal]}_exporter"}

    def renew_after_fork(self) -> None:
        """Count from zero; the parent keeps its own figures."""
        self._lock = threading.RLock()  # a signal may come while it is held
        self._lines = {"lost": RateLimit(60.0), "failing": RateLimit(60.0)}
        self._failing = False
        self._delivered = 0
        self._dropped: dict[str, int] = {}

    def report_to(self, provider: MeterProvider) -> None:
        """Record from now on through `provider`."""
        meter = provider.get_meter("otel_kit")
        item = _ITEM[self.signal]
        unit = "{data_point}" if self.signal == "metrics" else "{span}" if item == "span" else "{log_record}"
        self._exported = meter.create_counter(f"otel.sdk.exporter.{item}.exported", unit=unit)
        if self.signal != "metrics":
            self._processed = meter.create_counter(f"otel.sdk.processor.{item}.processed", unit=unit)

    def delivered(self, items: int) -> None:
        """Items that the collector took."""
        with self._lock:
            self._delivered += items
            recovered, self._failing = self._failing, False
        if self._exported is not None:
            self._exported.add(items, self._attributes)
        if recovered:
            LOGGER.info("otel-kit: %s reach %s again", self.signal, self._endpoint)

    def dropped(self, items: int, reason: str, detail: str = "") -> None:
        """Items that are lost for good, and why (``error.type``)."""
        with self._lock:
            self._dropped[reason] = self._dropped.get(reason, 0) + items
        early = reason in _BEFORE_EXPORT and self._processed is not None
        counter = self._processed if early else self._exported
        if counter is not None:
            counter.add(items, {**self._attributes, "error.type": reason})
        if reason != "shutdown_timeout":  # the last line of the process says so for all signals together
            what = f"lost: {_explained(reason)}{': ' + detail if detail else ''}"
            self._warn("lost", what, "" if reason in _INSIDE else _NEXT)

    def failing(self, why: str, *, waiting: int) -> None:
        """A try that failed and will be repeated; `waiting` bytes are kept meanwhile."""
        self._failing = True
        self._warn("failing", f"cannot be delivered: {_explained(why)}; {waiting} bytes wait for it", _NEXT)

    def figures(self) -> tuple[int, int]:
        """Items delivered and dropped so far."""
        with self._lock:
            return self._delivered, sum(self._dropped.values())

    def _warn(self, kind: str, what: str, advice: str) -> None:
        if self._lines[kind].allows():
            LOGGER.warning(
                "otel-kit: %s to %s %s; %d dropped so far%s",
                self.signal,
                self._endpoint,
                what,
                self.figures()[1],
                advice,
            )


def _explained(reason: str) -> str:
    """The reason with a plain word for it, where there is one."""
    meaning = "HTTP status" if reason.isdigit() else _MEANINGS.get(reason)
    return f"{reason} ({meaning})" if meaning else reason

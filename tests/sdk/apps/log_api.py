"""Logs by OpenTelemetry's own API, with log record processors of the service; or all of it at root DEBUG."""

from __future__ import annotations

import logging
import sys
import time

import otel_kit

log = logging.getLogger("app")


def api() -> None:
    """The SDK's provider is there as soon as anybody asks, and not before."""
    assert "opentelemetry._logs" not in sys.modules
    log.info("before")
    time.sleep(0.1)
    from opentelemetry import _logs, trace
    from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor, ReadWriteLogRecord

    class Adds(LogRecordProcessor):
        """Adds an attribute."""

        def on_emit(self, log_record: ReadWriteLogRecord) -> None:
            """Add it."""
            log_record.log_record.attributes["added"] = "yes"  # type: ignore[index]

        def shutdown(self) -> None:
            """Nothing to do."""

        def force_flush(self, timeout_millis: int = 30_000) -> bool:
            """Nothing to do."""
            del timeout_millis
            return True

    class Fails(Adds):
        """Raises an error."""

        def on_emit(self, log_record: ReadWriteLogRecord) -> None:
            """Raise it."""
            del log_record
            raise RuntimeError("no processor")

    provider = _logs.get_logger_provider()
    assert isinstance(provider, LoggerProvider)
    with trace.get_tracer("logs").start_as_current_span("work"):
        _logs.get_logger("api", "1.2", attributes={"scope": 1}).emit(
            body={"a": [1, b"\x00"]}, severity_number=_logs.SeverityNumber.WARN2, event_name="happened"
        )
    provider.add_log_record_processor(Adds())
    provider.add_log_record_processor(Fails())
    try:
        raise ValueError("no room")
    except ValueError:
        log.exception("after %d", 1, extra={"order": 7, "password": "hunter2"})
    _logs.get_logger("api").emit(body="by the API")
    assert provider.force_flush()


def debug() -> None:
    """For some seconds, in which exports could log what needs another export."""
    for number in range(20):
        log.debug("work %d", number)
        time.sleep(0.1)


def main(what: str) -> None:
    """Init, and log."""
    otel_kit.init(service="s", log_level="DEBUG")
    {"api": api, "debug": debug}[what]()


if __name__ == "__main__":
    main(*sys.argv[1:])

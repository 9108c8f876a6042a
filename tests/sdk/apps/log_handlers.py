"""Handlers of the SDK beside ours, as services have them that have sent their logs by themselves."""

from __future__ import annotations

import logging

from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor

import otel_kit


def main() -> None:
    """Attach them before init() and after it."""
    early, log = LoggingHandler(), logging.getLogger("app")
    otel_kit.init(service="s")
    log.addHandler(early)
    log.info("an early handler")
    logging.getLogger().addHandler(LoggingHandler())
    log.info("two handlers")
    apart = logging.getLogger("apart")
    apart.propagate = False
    apart.addHandler(LoggingHandler())
    apart.warning("no other handler")
    own, kept = LoggerProvider(), InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
    own.add_log_record_processor(SimpleLogRecordProcessor(kept))
    logging.getLogger("both").addHandler(LoggingHandler(logger_provider=own))
    logging.getLogger("both").info("elsewhere as well")
    assert [one.log_record.body for one in kept.get_finished_logs()] == ["elsewhere as well"]


if __name__ == "__main__":
    main()

"""The library's own daemon threads: what happens in them is never recorded as telemetry of the service."""

from __future__ import annotations

import threading
from collections.abc import Callable

from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, set_value

from otel_kit.sdk.notes import quietly

__all__ = ["spawn"]


def spawn(name: str, work: Callable[[], None]) -> threading.Thread:
    """Start a daemon thread in which instrumentation is suppressed, so that exporting cannot feed itself."""

    def run() -> None:
        attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, value=True))
        quietly(name, work)

    thread = threading.Thread(name=name, target=run, daemon=True)
    thread.start()
    return thread

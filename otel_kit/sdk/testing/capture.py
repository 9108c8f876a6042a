"""Recordings of what this process emits; `init` is called where the service has not done so."""

from __future__ import annotations

from otel_kit.errors import ToolError
from otel_kit.sdk import setup
from otel_kit.sdk.config.arguments import Arguments
from otel_kit.sdk.testing.memory import MEMORY
from otel_kit.sdk.testing.open_spans import OpenSpans, watch
from otel_kit.sdk.testing.recording import Recording

__all__ = ["recording"]

_open_spans: OpenSpans | None = None


def recording() -> Recording:
    """A new recording of what this process emits.

    Raises:
        ToolError: the library is switched off, or came too late.
    """
    global _open_spans
    if setup.current() is None:
        setup.init(Arguments())
    current = setup.current()
    assert current is not None
    handle = current[1]
    if not handle.enabled:
        raise ToolError(
            f"nothing can be recorded: {handle.why_disabled}",
            fix="the tests that ask for telemetry need otel_kit.init() in charge",
        )
    if _open_spans is None:
        _open_spans = OpenSpans()
        watch(_open_spans)
    return Recording(MEMORY, handle.force_flush, _open_spans)

"""Puts a memory where the network would be, once in the process, before `init`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_kit.sdk import setup
from otel_kit.sdk.delivery import senders
from otel_kit.sdk.testing.memory import Memory
from otel_kit.sdk.testing.recording import Recording

if TYPE_CHECKING:
    from otel_kit.sdk.testing.open_spans import OpenSpans

__all__ = ["begin", "recording"]

_memory = Memory()
_open_spans: OpenSpans | None = None


def begin() -> None:
    """From here on nothing leaves the process."""
    senders.substitute = _memory.sender
    # Log lines would stand beside pytest's own report, whose handlers make it look as if the service had
    # configured the root logger.
    setup.defaults.update(OTEL_KIT_LOGS="otlp", OTEL_KIT_LOG_LEVEL="INFO")


def recording() -> Recording:
    """A new recording of what this process emits.

    Raises:
        ToolError: the library is switched off, or came too late.
    """
    global _open_spans
    # Each run of pytest loads this module, and most of them never ask for a recording.
    from otel_kit.errors import ToolError
    from otel_kit.sdk.config.arguments import Arguments
    from otel_kit.sdk.testing.open_spans import OpenSpans, watch

    if setup.current() is None:
        setup.init(Arguments())
    current = setup.current()
    assert current is not None
    handle = current[1]
    if not handle.enabled:
        raise ToolError(
            f"nothing can be recorded: {handle.why_disabled}",
            fix="remove that from the environment of the tests",
        )
    if _open_spans is None:
        _open_spans = OpenSpans()
        watch(_open_spans)
    return Recording(_memory, handle.force_flush, _open_spans)

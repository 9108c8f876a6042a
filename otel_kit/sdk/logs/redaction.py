"""Takes secrets out of an entry: once, for stdout and OTLP together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_kit.sdk.logs.entry import Entry, Error
from otel_kit.sdk.notes import LOGGER

if TYPE_CHECKING:
    from otel_kit.sdk.otlp.wire import Redact

__all__ = ["EntryRedactor"]


class EntryRedactor:
    """Redacts message, fields and error.

    Safe between threads.

    Args:
        redact: gives the text to send in the place of a key's.
        own: the same for what this library says, which has to stay readable.
    """

    def __init__(self, redact: Redact, own: Redact) -> None:
        self._redact = redact
        self._own = own

    def redacted(self, entry: Entry) -> Entry:
        """The entry as it may leave the process; the place in the code stays as it is."""
        site, created, observed, message, fields, error, span = entry
        redact = self._own if site[0] == LOGGER.name else self._redact
        message = redact("message", message)
        if fields:
            fields = {key: redact(key, value) for key, value in fields.items()}
        if error is not None:
            error = _redacted(error, redact)
        return site, created, observed, message, fields, error, span


def _redacted(error: Error, redact: Redact) -> Error:
    kind, text, stack = error
    return kind, redact("exception.message", text), redact("exception.stacktrace", stack)

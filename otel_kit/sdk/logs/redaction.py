"""Takes secrets out of an entry: once, for stdout and OTLP together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_kit.sdk.logs.entry import Entry, Error

if TYPE_CHECKING:
    from otel_kit.sdk.otlp.wire import Redact

__all__ = ["EntryRedactor"]


class EntryRedactor:
    """Redacts message, fields and error.

    Safe between threads.

    Args:
        redact: gives the text to send in the place of a key's.
    """

    def __init__(self, redact: Redact) -> None:
        self._redact = redact

    def redacted(self, entry: Entry) -> Entry:
        """The entry as it may leave the process; the place in the code stays as it is."""
        site, created, observed, message, fields, error, span = entry
        message = self._redact("message", message)
        if fields:
            fields = {key: self._redact(key, value) for key, value in fields.items()}
        if error is not None:
            error = self._error(error)
        return site, created, observed, message, fields, error, span

    def _error(self, error: Error) -> Error:
        kind, text, stack = error
        return kind, self._redact("exception.message", text), self._redact("exception.stacktrace", stack)

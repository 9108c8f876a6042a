"""Takes secrets out of an entry: once, for stdout and OTLP together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from otel_kit.sdk.logs.entry import Entry, Error

if TYPE_CHECKING:
    from otel_kit.sdk.otlp.wire import Redact

__all__ = ["EntryRedactor"]

_REMEMBER: Final = 2048
#: Longer messages hardly come twice.
_SHORT: Final = 200


class EntryRedactor:
    """Redacts message, fields and error; remembers short messages in which there was nothing to take out.

    Safe between threads.

    Args:
        redact: gives the text to send in the place of a key's.
    """

    def __init__(self, redact: Redact) -> None:
        self._redact = redact
        self._clean: set[str] = set()

    def redacted(self, entry: Entry) -> Entry:
        """The entry as it may leave the process; the place in the code stays as it is."""
        site, created, observed, message, fields, error, span = entry
        message = self.message(message)
        if fields:
            fields = {key: self._redact(key, value) for key, value in fields.items()}
        if error is not None:
            error = self._error(error)
        return site, created, observed, message, fields, error, span

    def message(self, message: str) -> str:
        """A message as it may leave the process."""
        if message in self._clean:
            return message
        text: Any = self._redact("message", message)
        if text == message and len(message) <= _SHORT:
            if len(self._clean) >= _REMEMBER:
                self._clean.clear()
            self._clean.add(message)
        return str(text)

    def _error(self, error: Error) -> Error:
        kind, text, stack = error
        return kind, self._redact("exception.message", text), self._redact("exception.stacktrace", stack)

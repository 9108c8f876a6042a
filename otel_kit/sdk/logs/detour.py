"""Lines for a stdout that leads back to logging, as task queues and daemons have it, for what is printed.

A line that is written there comes back as a record: written again, it would go round for ever. Such a stdout
is known by its logger, or by the first line that comes back; then lines go where stdout led at first.
"""

from __future__ import annotations

import logging
import sys
import threading
from typing import Any

from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, detach, set_value

__all__ = ["Detour"]


class _Writing(threading.local):
    """The line that this thread is writing, and whether it has come back."""

    line = ""
    back = False


class Detour:
    """Writes lines to a stdout that somebody has replaced."""

    def __init__(self) -> None:
        self._writing = _Writing()
        self._leads_back: object = None
        #: The last replaced stdout that does not.
        self.plain: object = None

    def way(self, out: Any, line: str, message: str) -> Any:
        """The stream to write `line` to in the place of `out`; None where that has been done, or must not be.

        Args:
            out: ``sys.stdout``.
            line: with its end.
            message: of the record.
        """
        writing = self._writing
        if writing.line:
            if message.strip() and message.strip() in writing.line:
                writing.back = True
                return None
            return sys.__stdout__  # of what that stdout does itself, say
        if out is self._leads_back or isinstance(getattr(out, "logger", None), logging.Logger):
            return sys.__stdout__
        token = attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, value=True))  # what comes back is not sent
        writing.line = line
        try:
            out.write(line)
            out.flush()
            back = writing.back
        finally:
            writing.line, writing.back = "", False
            detach(token)
        if back:
            self._leads_back = out
            return sys.__stdout__
        self.plain = out
        return None

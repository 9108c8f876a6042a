"""Lines to read at a terminal, for a service that runs on its author's machine.

``14:03:07.042 WARNING  shop.orders: no stock item=7 trace=4bf92f35``, and the traceback beneath. Colours are
for terminals alone, and not where NO_COLOR is set (https://no-color.org).
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from time import localtime, strftime
from typing import Any, Final

from opentelemetry.trace import format_trace_id

from otel_kit.sdk.logs.entry import Entry
from otel_kit.sdk.logs.lines import RESERVED

__all__ = ["TextLines"]

#: Digits of a trace id that tell the lines of one request from those of others.
_SHORT: Final = 8
#: Field with the stack of a record that has one without an error.
_STACK: Final = "code.stacktrace"
_DIM: Final = "2"
_CYAN: Final = "36"
_COLOURS: Final = (
    (logging.CRITICAL, "1;31"),
    (logging.ERROR, "31"),
    (logging.WARNING, "33"),
    (logging.INFO, "32"),
)
#: What would move the cursor, colour what follows or end a line.
_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
#: A text that needs no quotes to be told from what stands around it.
_WORD: Final = re.compile(r"[^\s\"'=]+")


class TextLines:
    """Makes the text of each entry, without its end. Safe between threads."""

    def line(self, entry: Entry, *, sent: bool) -> str:  # noqa: ARG002
        """One line, and beneath it, indented, what the message has more of, and the traceback.

        Args:
            entry: of a record.
            sent: it goes to the collector as well; whoever reads does not care.
        """
        site, created, _, message, fields, error, span = entry
        paint = _coloured if _shows_colours(sys.stdout) else _plain
        fields = dict(fields or {})
        stacks = [fields.pop(_STACK, None), error and (error[2] or f"{error[0]}: {error[1]}")]
        time = f"{strftime('%H:%M:%S', localtime(created))}.{int(created % 1 * 1000):03d}"
        level = f"{logging.getLevelName(site[1]):<8}"
        words = [
            paint(time, _DIM),
            paint(level, next((c for least, c in _COLOURS if site[1] >= least), _DIM)),
            paint(f"{_safe(site[0])}:", _CYAN),
            _indented(message.rstrip()),
            *(paint(f"{_safe(_named(key))}=", _DIM) + _value(value) for key, value in fields.items()),
        ]
        if span is not None:
            words.append(paint(f"trace={format_trace_id(span.trace_id)[:_SHORT]}", _DIM))
        below = [f"\n  {_indented(str(stack).rstrip())}" for stack in stacks if stack]
        return _writable(" ".join(words) + "".join(below))


def _named(field: str) -> str:
    """As the field is called where it arrives."""
    return f"extra.{field}" if field in RESERVED["datadog"] else field


def _shows_colours(out: Any) -> bool:
    try:
        terminal = bool(out.isatty())
    except Exception:  # None, a closed one, or anything that a service puts there
        return False
    return terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _coloured(text: str, colour: str) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m"


def _plain(text: str, _: str) -> str:
    return text


def _value(value: Any) -> str:
    if isinstance(value, str):
        return _safe(value) if _WORD.fullmatch(value) else _safe(json.dumps(value, ensure_ascii=False))
    return _safe(json.dumps(value, ensure_ascii=False))


def _indented(text: str) -> str:
    """What begins a line is a record, whatever a message has in it."""
    return _safe(text).replace("\n", "\n  ")


def _safe(text: str) -> str:
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


def _writable(text: str) -> str:
    """Lone surrogates, and what stdout has no signs for, as escapes."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)

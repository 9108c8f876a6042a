"""What counts as the console."""

from __future__ import annotations

import logging
import sys
from typing import Final

__all__ = ["is_console", "writes_to_console"]

#: Where containers have the console as a file.
_DEVICES: Final = frozenset(
    {"/dev/stdout", "/dev/stderr", "/dev/fd/1", "/dev/fd/2"}
    | {f"/proc/{process}/fd/{fd}" for process in ("self", "1") for fd in (1, 2)}
)
#: Attribute of a handler with what was found out about it.
_KNOWN: Final = "_otel_kit_console"


def is_console(stream: object) -> bool:
    """Whether it is stdout or stderr, as they are now or were at first, or the bytes beneath."""
    for known in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        if known is not None and (stream is known or stream is getattr(known, "buffer", None)):
            return True
    return False


def writes_to_console(handler: logging.Handler) -> bool:
    """Files and sockets do not, nor do the captures of tests."""
    # Asked for each record, and the answer holds as long as these are the same.
    marks, out, err = handler.__dict__, sys.stdout, sys.stderr
    stream, console = marks.get("stream"), marks.get("console")
    known = marks.get(_KNOWN)
    if known is not None and (
        known[0] is stream and known[1] is console and known[2] is out and known[3] is err
    ):
        return bool(known[4])
    answer = _looked_at(handler)
    marks[_KNOWN] = stream, console, out, err, answer
    return answer


def _looked_at(handler: logging.Handler) -> bool:
    try:
        if isinstance(handler, logging.StreamHandler):
            return is_console(handler.stream) or getattr(handler, "baseFilename", None) in _DEVICES
        console = getattr(handler, "console", None)  # of rich
        return console is not None and is_console(console.file)
    except Exception:  # attributes of a service's own handler may be anything
        return False

"""What counts as the console."""

from __future__ import annotations

import logging
import sys

__all__ = ["is_console", "writes_to_console"]


def is_console(stream: object) -> bool:
    """Whether it is stdout or stderr, as they are now or were at first, or the bytes beneath."""
    for known in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        if known is not None and (stream is known or stream is getattr(known, "buffer", None)):
            return True
    return False


def writes_to_console(handler: logging.Handler) -> bool:
    """Files and sockets do not, nor do the captures of tests."""
    return isinstance(handler, logging.StreamHandler) and is_console(handler.stream)

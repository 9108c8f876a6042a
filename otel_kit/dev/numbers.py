"""Numbers from strangers, and numbers that JSON and SQLite can hold."""

from __future__ import annotations

import math
from typing import Final

__all__ = ["finite", "whole_number"]

#: More digits than this do not fit into SQLite's 64 bits.
_MAX_DIGITS: Final = 18


def whole_number(text: str) -> int | None:
    """The number that `text` is, of 18 ASCII digits at most; None for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS else None


def finite(value: float | None) -> float | None:
    """`value`, or None when it is infinite or not a number: what left the range of floats has no value."""
    return value if value is not None and math.isfinite(value) else None

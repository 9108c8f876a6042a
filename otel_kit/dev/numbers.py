"""Whole numbers as text, from strangers."""

from __future__ import annotations

from typing import Final

__all__ = ["whole_number"]

#: More digits than this do not fit into SQLite's 64 bits.
_MAX_DIGITS: Final = 18


def whole_number(text: str) -> int | None:
    """The number that `text` is, of 18 digits at most; None for anything else."""
    return int(text) if text.isdecimal() and len(text) <= _MAX_DIGITS else None

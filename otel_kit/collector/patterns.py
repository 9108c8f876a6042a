"""Values that a spec may ask to redact by name."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["PATTERNS", "expand"]

#: Name -> regexes (RE2). Each ends at word boundaries: without them a card number is also found inside
#: nanosecond timestamps and long ids.
PATTERNS: Final = {
    "card_number": (
        r"\b(?:4[0-9]{3}|5[1-5][0-9]{2}|2[2-7][0-9]{2}|6(?:011|5[0-9]{2}))(?:[ -]?[0-9]{4}){3}\b",
        r"\b3[47][0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{5}\b",
    ),
    "bearer_token": (r"(?i)\bbearer\s+[a-z0-9._~+/-]+=*",),
    "jwt": (r"\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+",),
    "email": (r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}\b",),
}
_REGEX_SIGNS = frozenset("\\[](){}*+?^$|.")


def expand(value: str) -> tuple[str, ...]:
    """The regexes of a named pattern, or `value` itself when it is a regex, as its signs tell.

    Raises:
        ValueError: neither.
    """
    if value in PATTERNS:
        return PATTERNS[value]
    if not _REGEX_SIGNS & set(value):
        raise ValueError(f"there is no pattern '{value}' (known: {', '.join(PATTERNS)}; or write a regex)")
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"'{value}' is no regex: {error}") from error
    return (value,)

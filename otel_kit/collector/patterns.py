"""Values that a spec may ask to redact by name."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["PATTERNS", "expand", "is_secret", "regex"]

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
_SECRET = re.compile(
    r"(?i)^(bearer|basic)\s+\S+$|^[0-9a-f]{32}$|^[0-9a-f]{40}$|^[a-z][a-z0-9+.-]*://[^/@\s:]*:[^/@\s]+@"
    r"|^eyJ[\w-]+\.[\w-]+\.[\w-]*$|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)
#: Escaped signs other than back references, and sets: in them the signs below mean nothing.
_SETS = re.compile(r"\\[^1-9Z]|\[\^?\]?(?:\\.|[^\]\\])*\]")
_NOT_RE2 = re.compile(r"\(\?<?[=!]|\(\?>|\(\?\(|\(\?#|\(\?P=|\(\?[a-z]*[aLux][a-z]*|\\[1-9Z]|[*+?}]\+")
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
    if re.search(regex(value), ""):
        raise ValueError(f"'{value}' also matches where there is nothing, so it would mask everything")
    return (value,)


def regex(value: str) -> str:
    """`value` itself, when the collector can read it: it has RE2, which looks neither ahead nor back.

    Raises:
        ValueError: it is no regex, or none for RE2.
    """
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"'{value}' is no regex: {error}") from error
    if found := _NOT_RE2.search(_SETS.sub("x", value)):
        raise ValueError(f"'{value}' is no regex for the collector: RE2 has no '{found[0]}'")
    return value


def is_secret(text: str) -> bool:
    """Whether `text` looks like a key, a token or an address with a password, whatever it is called."""
    return _SECRET.search(text) is not None

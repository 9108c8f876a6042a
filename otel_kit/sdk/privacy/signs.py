"""Tells in a microsecond that a text holds nothing of what the rules in `shapes` take out.

Nearly all texts hold nothing, and the rules are slow where they have to look at each word. So a text is first
brought down to what matters: lower case, the signs between a name and its value as one sign, what may stand
between the two left out, and all that backwards. Then a secret name is a known word behind that sign, which a
single search finds.

A text passes only where no rule can find a thing; one that does not pass may be harmless all the same.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable
from typing import Final

from otel_kit.sdk.privacy.names import NEUTRAL, Names

__all__ = ["Signs", "bytes_of"]

_LETTERS: Final = string.ascii_letters.encode()
_DIGITS: Final = string.digits.encode()
_OTHER_LETTERS: Final = bytes(range(0x80, 0x100))
#: What may stand within a name besides letters, or between it and the sign behind it.
_LEFT_OUT: Final = _DIGITS + _OTHER_LETTERS + b"_.-%\"'\\]\t"
_AND_BLANKS: Final = _LEFT_OUT + b" "


def _table(groups: dict[bytes, bytes], other: bytes) -> bytes:
    table = bytearray(other * 256)
    for signs, sign in groups.items():
        for each in signs:
            table[each] = sign[0]
    return bytes(table)


_LOWER: Final = {bytes([letter]): bytes([letter]).lower() for letter in _LETTERS}
#: What may stand behind a name is ``=``.
_REDUCED: Final = _table({**_LOWER, b"=:,>": b"="}, b"!")
#: Signs of a key without a name are ``a``.
_RUNS: Final = _table({_LETTERS + _DIGITS + b"_/+=.~-" + _OTHER_LETTERS: b"a", b" ": b" "}, b"!")
_NUMBERS: Final = _table({_DIGITS + b" -": b"0"}, b"!")
_GROUPS: Final = _table({_DIGITS: b"0", b" -": b"-"}, b"!")
_PLAIN, _FOURS, _SIX = b"0" * 13, b"0000-0000-0000-0000", b"0000-000000-0000"
#: The shortest known keys have 13 signs, those behind a name and a blank 16, card numbers 13 digits.
_SHORT: Final = 13
_RUN: Final = b"a" * _SHORT
_RUN_BEHIND_BLANK: Final = b" " + b"a" * 16
_NUMBER: Final = b"0" * _SHORT
#: Farther away no word decides whether a name is secret, in bytes.
_FAR: Final = 500
#: The signs, rare ones, with which the beginnings of known keys end, and those beginnings.
_ISSUED: Final = re.compile(
    r"A(?:KIA|SIA|BIA|CCA|Iza)|b(?<=pub)[0-9a-f]{32}|x(?:ox|app-)|ya29|SG\.|k(?<=slack)"
    r"|_(?<=(?:h[pousr]|ub|[rsp]k|ec|pi|pp|at|og|pm|hf|v1)_)(?:(?<=gh[pousr]_)|(?<=github_)|(?<=[rsp]k_)"
    r"|(?<=whsec_)|(?<=dd(?:api|app|pat|sat)_)|(?<=ddog_)|(?<=npm_)|(?<=hf_)|(?<=v1_))"
    r"|-(?<=(?:at|sk|pi|PX)-)(?:(?<=glpat-)|(?<=sk-)(?<![A-Za-z0-9]sk-)|(?<=pypi-)|(?<=GOCSPX-))"
)
#: A digit, maybe of another script.
_DIGIT: Final = re.compile(rb"[0-9\x80-\xff]")
#: The name of a parameter in a URL.
_PARAMETER: Final = re.compile(r"[?&]([\w.%-]+)")


class Signs:
    """Looks whether there may be something to take out.

    Args:
        names: tells secret names.
    """

    def __init__(self, names: Names) -> None:
        self._names = names
        secret = _backwards("".join(words) for words in names.endings)
        neutral = _backwards(NEUTRAL)
        self._neutral = neutral
        self._longest = max(map(len, secret | neutral))
        self._ending_neutral = tuple(word for word in secret if word.startswith(tuple(neutral)))
        self._end = re.compile(f"=(?:{_any_of(secret | neutral)})".encode())

    def among(self, text: str, data: bytes) -> bool:
        """Whether a rule may find something in this text and its bytes, but for a card number."""
        # The looks for single signs cost next to nothing.
        if "@" in text or "eyJ" in text or ("-" in text and "--" in text) or ("%" in text and "%40" in text):
            return True
        if "(" in text and (")=" in text or "[parameters: " in text or "Failing row" in text):
            return True
        if ("b" in text or "B" in text) and ("bearer" in (lower := text.lower()) or "basic" in lower):
            return True
        if ("=" in text or ":" in text or ">" in text or "," in text) and self._before_sign(data):
            return True
        if ("?" in text or "&" in text) and any(map(self._names.secret_parameter, _PARAMETER.findall(text))):
            return True
        runs = data.translate(_RUNS)
        if runs.find(_RUN) < 0:
            return False
        return "1//0" in text or _ISSUED.search(text) is not None or self._before_blank(data, runs)

    def number(self, data: bytes) -> bool:
        """Whether there are as many digits as in the number of a card, in groups as there."""
        if data.translate(_NUMBERS).find(_NUMBER) < 0:
            return False
        groups = data.translate(_GROUPS)
        return groups.find(_PLAIN) >= 0 or groups.find(_FOURS) >= 0 or groups.find(_SIX) >= 0

    def _before_sign(self, data: bytes) -> bool:
        """Whether a secret name stands before what may be followed by its value."""
        reduced = data.translate(_REDUCED, _AND_BLANKS)[::-1]
        if self._end.search(reduced) is None:
            return False
        return any(self._is_secret(reduced, match) for match in self._end.finditer(reduced))

    def _before_blank(self, data: bytes, runs: bytes) -> bool:
        """Whether a secret name, maybe with ``is``, stands before a blank and a run of signs of a key."""
        end = 0
        while (at := runs.find(_RUN_BEHIND_BLANK, end)) >= 0:
            end = data.find(b" ", at + 1)
            if end < 0:
                end = len(data)
            if _DIGIT.search(data, at, end) is None:
                continue  # a key has one
            before = data[max(0, at - _FAR) : at].translate(_REDUCED, _AND_BLANKS)[::-1]
            for words in (before, before[2:] if before.startswith(b"si") else b""):
                match = self._end.match(b"=" + words)
                if match is not None and self._is_secret(b"=" + words, match):
                    return True
        return False

    def _is_secret(self, data: bytes, match: re.Match[bytes]) -> bool:
        begin, end = match.start() + 1, match.end()
        if data[begin:end] not in self._neutral:
            return True
        # Behind two words that do not count any word may stand.
        before = data[end : end + self._longest]
        return self._end.match(b"=" + before) is not None or data.startswith(self._ending_neutral, begin)


def bytes_of(text: str) -> bytes:
    """What `Signs` looks through."""
    return text.encode("utf-8", "surrogatepass")


def _backwards(words: Iterable[str]) -> set[bytes]:
    """The words backwards, letters of ASCII only: other signs are left out of the text as well."""
    return {re.sub("[^a-z]", "", word.lower())[::-1].encode() for word in words}


def _any_of(words: Iterable[bytes]) -> str:
    """A regex that branches at each letter, so that most places take a single step."""
    groups: dict[str, list[bytes]] = {}
    for word in sorted(words):
        if not word:
            return ""  # nothing but signs that are left out: any name may be secret
        groups.setdefault(chr(word[0]), []).append(word[1:])
    if len(groups) == 1:
        ((letter, rest),) = groups.items()
        return letter + _any_of(rest)
    return f"(?:{'|'.join(letter + _any_of(rest) for letter, rest in groups.items())})"

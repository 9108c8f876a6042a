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
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from otel_kit.sdk.privacy.names import NEUTRAL, Names

__all__ = ["Signs"]

#: Between texts that are looked at together; no part of what is looked for.
_BETWEEN: Final = "\0"
_END: Final = b"\0"
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
_REDUCED: Final = _table({**_LOWER, b"=:,>": b"=", _END: _END}, b"!")
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
#: Enough to look closer.
_CERTAIN: Final = (b"@", b"%40", b"eyJ", b"--", b")=", b"[parameters: ", b"Failing row", b"[SQL: ", b"LINE ")
_SCHEME: Final = re.compile("bearer|basic")
#: The signs, rare ones, with which the beginnings of known keys end, and those beginnings.
_ISSUED: Final = re.compile(
    r"A(?:KIA|SIA|BIA|CCA|Iza)|b(?<=pub)[0-9a-f]{32}|x(?:ox|app-)|ya29|SG\.|k(?<=slack)|1//0"
    r"|_(?<=(?:h[pousr]|ub|[rsp]k|ec|pi|pp|at|og|pm|hf|v1)_)(?:(?<=gh[pousr]_)|(?<=github_)|(?<=[rsp]k_)"
    r"|(?<=whsec_)|(?<=dd(?:api|app|pat|sat)_)|(?<=ddog_)|(?<=npm_)|(?<=hf_)|(?<=v1_))"
    r"|-(?<=(?:at|sk|pi|PX)-)(?:(?<=glpat-)|(?<=sk-)(?<![A-Za-z0-9]sk-)|(?<=pypi-)|(?<=GOCSPX-))"
)
#: A digit, maybe of another script.
_DIGIT: Final = re.compile(rb"[0-9\x80-\xff]")
#: The name of a parameter in a URL, and whether it goes on in another script.
_PARAMETER: Final = re.compile(r"[?&](?P<name>[\w.%-]*)(?P<more>[\x80-\xff])?", re.ASCII)
_STOP: Final = re.compile(rb"[ \0]")


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

    def among(self, text: str) -> bool:
        """Whether a rule may find something in this text."""
        return next(self._among(text), None) is not None

    def among_all(self, texts: Sequence[str]) -> set[int]:
        """Which of the texts a rule may find something in, by their index.

        One look at all of them costs a fifth of a look at each: what a look costs is mostly the calls.
        """
        text = _BETWEEN.join(texts)
        if text.count(_BETWEEN) == len(texts) - 1:
            return set(self._among(text))
        # One of them holds what should tell them apart.
        return {index for index, text in enumerate(texts) if self.among(text)}

    def _among(self, text: str) -> Iterator[int]:
        """How many `_BETWEEN` are before each place at which a rule may find something."""
        data = text.encode("utf-8", "surrogatepass")
        if not text.isascii():
            text = data.decode("latin-1")  # a sign for a byte: `in` is several times as quick on a text
        # The looks for single signs cost next to nothing.
        if (
            "@" in text
            or "eyJ" in text
            or "--" in text
            or "%40" in text
            or "[SQL: " in text
            or "LINE " in text
            or ("(" in text and (")=" in text or "[parameters: " in text or "Failing row" in text))
        ):
            for sign in _CERTAIN:
                yield from _before(_ends(data, sign), data)
        if "?" in text or "&" in text:
            yield from _before(self._parameters(text), data)
        if "=" in text or ":" in text or ">" in text or "," in text:
            reduced = data.translate(_REDUCED, _AND_BLANKS)[::-1]
            if self._end.search(reduced) is not None:
                last = text.count(_BETWEEN)  # which comes first, backwards as it is
                yield from (last - index for index in _before(self._behind_signs(reduced), reduced))
        if ("b" in text or "B" in text) and ("bearer" in (lower := text.lower()) or "basic" in lower):
            yield from _before((match.end() for match in _SCHEME.finditer(lower)), data)
        runs = data.translate(_RUNS)
        if runs.find(_RUN) >= 0:
            if _ISSUED.search(text) is not None:
                yield from _before((match.end() for match in _ISSUED.finditer(text)), data)
            if runs.find(_RUN_BEHIND_BLANK) >= 0:
                yield from _before(self._behind_blanks(data, runs), data)
        if data.translate(_NUMBERS).find(_NUMBER) >= 0:
            groups = data.translate(_GROUPS)
            for group in (_PLAIN, _FOURS, _SIX):
                if groups.find(group) >= 0:
                    yield from _before(_ends(groups, group), data)

    def _parameters(self, text: str) -> Iterator[int]:
        """Where the names of secret parameters end; one that is not ASCII may be secret."""
        secret = self._names.secret_parameter
        return (m.end() for m in _PARAMETER.finditer(text) if m["more"] or secret(m["name"]))

    def _behind_signs(self, reduced: bytes) -> Iterator[int]:
        """Where secret names stand before what may be followed by their value."""
        return (match.end() for match in self._end.finditer(reduced) if self._is_secret(reduced, match))

    def _behind_blanks(self, data: bytes, runs: bytes) -> Iterator[int]:
        """Where a secret name, maybe with ``is``, stands before a blank and a run of signs of a key."""
        end = 0
        while (at := runs.find(_RUN_BEHIND_BLANK, end)) >= 0:
            stop = _STOP.search(data, at + 1)
            end = len(data) if stop is None else stop.start()
            if _DIGIT.search(data, at, end) is None:
                continue  # a key has one
            before = data[max(0, at - _FAR) : at].translate(_REDUCED, _AND_BLANKS)[::-1]
            for words in (before, before[2:] if before.startswith(b"si") else b""):
                match = self._end.match(b"=" + words)
                if match is not None and self._is_secret(b"=" + words, match):
                    yield end
                    break

    def _is_secret(self, data: bytes, match: re.Match[bytes]) -> bool:
        begin, end = match.start() + 1, match.end()
        if data[begin:end] not in self._neutral:
            return True
        # Behind two words that do not count any word may stand.
        before = data[end : end + self._longest]
        return self._end.match(b"=" + before) is not None or data.startswith(self._ending_neutral, begin)


def _ends(data: bytes, sign: bytes) -> Iterator[int]:
    """Where the sign ends, each time that it is there."""
    end = 0
    while (at := data.find(sign, end)) >= 0:
        end = at + len(sign)
        yield end


def _before(places: Iterable[int], data: bytes) -> Iterator[int]:
    """How many `_END` are before each of the places, which come in their order."""
    count = last = 0
    for place in places:
        count += data.count(_END, last, place)
        last = place
        yield count


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

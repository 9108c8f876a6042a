"""The scanner beneath the query parser: a text, a position, and errors that name a column."""

from __future__ import annotations

import re
from typing import Final, NoReturn

from otel_kit.errors import InputError

__all__ = ["QueryError", "Scanner"]

# Deeper nesting than this is no query of a human, and must not end in a RecursionError.
_MAX_DEPTH: Final = 60
_SPACE: Final = re.compile(r"\s*")


class QueryError(InputError):
    """A query that cannot be parsed.

    Attributes:
        column: where, counted from 1.
    """

    def __init__(self, what: str, *, column: int) -> None:
        super().__init__(what)
        self.column = column


class Scanner:
    """Reads `text` from left to right; whitespace (also newlines) between tokens does not count."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self._depth = 0

    @property
    def column(self) -> int:
        """Column of the next token, from 1."""
        self._skip_space()
        return self.position + 1

    def at_end(self) -> bool:
        """Is there nothing left?"""
        self._skip_space()
        return self.position >= len(self.text)

    def sees(self, literal: str) -> bool:
        """Is `literal` next?"""
        self._skip_space()
        return self.text.startswith(literal, self.position)

    def accept(self, literal: str) -> bool:
        """Step over `literal` if it is next."""
        if not self.sees(literal):
            return False
        self.position += len(literal)
        return True

    def accept_word(self, *words: str) -> str | None:
        """Step over one of `words` (any case) if it stands alone; which one it was, in lower case."""
        found = self.match(_word_pattern(words))
        return found.lower() if found else None

    def expect(self, literal: str, because: str = "") -> None:
        """Step over `literal`, which must be next."""
        if not self.accept(literal):
            self.fail(f"{literal!r}{because}")

    def match(self, pattern: re.Pattern[str]) -> str | None:
        """Step over what `pattern` matches here, if anything."""
        self._skip_space()
        found = pattern.match(self.text, self.position)
        if found is None or found.end() == self.position:
            return None
        self.position = found.end()
        return found.group()

    def enter(self) -> None:
        """One level of nesting more."""
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            self.refuse(f"at column {self.column}: more than {_MAX_DEPTH} levels of nesting", self.column)

    def leave(self) -> None:
        """One level of nesting less."""
        self._depth -= 1

    def fail(self, expected: str) -> NoReturn:
        """Refuse what is next because `expected` should be there."""
        column = self.column
        found = (
            "the end of the query" if self.at_end() else repr(self.text[self.position : self.position + 12])
        )
        self.refuse(f"at column {column}: expected {expected}, found {found}", column)

    def refuse(self, what: str, column: int) -> NoReturn:
        """Refuse for a reason of its own."""
        raise QueryError(f"cannot parse the query: {what}", column=column)

    def _skip_space(self) -> None:
        found = _SPACE.match(self.text, self.position)
        if found:
            self.position = found.end()


def _word_pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?:{'|'.join(words)})(?![\w.:*$/-])", re.IGNORECASE)

"""Every error that otel-kit raises on purpose.

::

    OtelKitError
    ├── InputError        a file, argument or environment value is wrong
    ├── UnsupportedError  understood, and refused by name: we never guess
    ├── ApiError          Datadog, or its stand-in, said no or could not be reached
    └── ToolError         a program, port or package that is needed is missing or failed

The command line prints them as one sentence and exits with code 1; no traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "ApiError",
    "InputError",
    "OtelKitError",
    "ToolError",
    "UnsupportedError",
    "nearest",
    "suggest",
    "to_install",
]


class OtelKitError(Exception):
    """What went wrong, where, and what to do about it.

    Args:
        what: the fact, without a full stop at its end: ``unknown key 'querry'``.
        where: the place a reader can go to: ``monitors/http.yaml:12`` or a config path.
        fix: the next step, as an imperative: ``did you mean 'query'?``.
    """

    def __init__(self, what: str, *, where: str | None = None, fix: str | None = None) -> None:
        self.what = what
        self.where = where
        self.fix = fix
        super().__init__(what, where, fix)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        remedy = f"; {self.fix}" if self.fix else ""
        return f"{place}{self.what}{remedy}"


class InputError(OtelKitError):
    """A file, an argument or an environment value is wrong."""


class UnsupportedError(OtelKitError):
    """The input is understood, but this cannot be done with it."""


class ApiError(OtelKitError):
    """Datadog (or its stand-in) refused a request or could not be reached.

    Attributes:
        status: the HTTP status of the answer, or None where there was no answer.
    """

    def __init__(
        self, what: str, *, where: str | None = None, fix: str | None = None, status: int | None = None
    ) -> None:
        super().__init__(what, where=where, fix=fix)
        self.status = status


class ToolError(OtelKitError):
    """A program, port or package that is needed is missing or failed."""


def to_install(distribution: str, extra: str) -> str:
    """How to get a package that is missing: by itself, since otel-kit may have come from a clone."""
    return f"pip install {distribution} (the extra [{extra}] of otel-kit)"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """``did you mean 'query'?`` for the `fix` of an error, or None where no known word is close."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean '{close[0]}'?" if close else None


def suggest(word: str, known: Iterable[str]) -> str:
    """The nearest known word, or where none is close, all of them."""
    words = sorted(known)
    return nearest(word, words) or f"known: {', '.join(words)}"

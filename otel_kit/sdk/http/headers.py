"""Headers as attributes: those on a list, and never the secret ones.

Names and values of the attributes are those of the stable conventions: lower case with its hyphens, which
OpenTelemetry's own instrumentations write as ``_``, and a list of texts. ``[REDACTED]`` stands in place of
what must not be seen, as with those.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from opentelemetry.propagators.textmap import Getter

__all__ = ["GETTER", "LONGEST", "HeaderCapture", "Headers", "length_of"]

Headers = Iterable[tuple[bytes, bytes]]
#: Characters that are kept of a text which the client has made up.
LONGEST: Final = 4096
#: Names of headers that are remembered; a client can make up any number.
_KEPT: Final = 256
_REDACTED: Final = "[REDACTED]"
#: A header in whose name one of these is found carries a secret or may do so.
_SECRET: Final = (
    "auth",
    "cookie",
    "credential",
    "csrf",
    "jwt",
    "(?:access|account|api|app|functions|private|shared|signing|subscription)[-_]?key",
    "passw",
    "secret",
    "session",
    "signature",
    "token",
)


class HeaderCapture:
    """Makes attributes of the headers whose names are wanted.

    Args:
        prefix: of the attributes, ``http.request.header.``.
        wanted: regular expressions for whole names, in any case.
        sanitized: regular expressions; a header in whose name one is found loses its value.
    """

    def __init__(self, prefix: str, wanted: Iterable[str], sanitized: Iterable[str]) -> None:
        self._prefix = prefix
        self._wanted = re.compile("|".join(f"(?:{one})" for one in wanted), re.IGNORECASE)
        secret = (*_SECRET, *(f"(?:{one})" for one in sanitized))
        self._secret = re.compile("|".join(secret), re.IGNORECASE)
        self._kept: dict[bytes, tuple[str, bool]] = {}

    def attributes(self, headers: Headers) -> dict[str, list[str]]:
        """A list of values by the name of the attribute."""
        found: dict[str, list[str]] = {}
        for name, value in headers:
            key, secret = self._kept.get(name) or self._look_at(name)
            if key:
                found.setdefault(key, []).append(_REDACTED if secret else _text(value))
        return found

    def _look_at(self, name: bytes) -> tuple[str, bool]:
        text = _text(name).lower()
        wanted = self._wanted.fullmatch(text) is not None
        result = (
            self._prefix + text if wanted else "",
            wanted and self._secret.search(text) is not None,
        )
        if len(self._kept) < _KEPT:
            self._kept[name] = result
        return result


def length_of(headers: Headers) -> int:
    """Bytes of the body, as ``content-length`` tells them; 0 where it does not."""
    return next((int(value) for name, value in headers if name.lower() == b"content-length"), 0)


def _text(value: bytes) -> str:
    """UTF-8 where it is that, else Latin-1, which is what HTTP says."""
    value = value[:LONGEST]
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


class _Getter(Getter[Headers]):
    """Reads ASGI's headers, whose names are lower-case bytes."""

    def get(self, carrier: Headers, key: str) -> list[str] | None:
        wanted = key.lower().encode("latin-1")
        values = [value.decode("latin-1") for name, value in carrier if name.lower() == wanted]
        return [",".join(values)] if key == "baggage" and values else values or None

    def keys(self, carrier: Headers) -> list[str]:
        return [name.decode("latin-1") for name, _ in carrier]


GETTER: Final = _Getter()

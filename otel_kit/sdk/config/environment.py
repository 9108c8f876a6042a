"""Reads typed values from environment variables, and keeps for each where it came from.

What cannot be used is one problem, which shows it without what may be secret, and its default counts. Each
getter takes one variable or several, of which the first that is set counts, and notes the value in force
under the name of the first (see `setting_name`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import unquote, urlsplit

from otel_kit.sdk.config.refused import HIDDEN, quoted

__all__ = ["ARGUMENT", "DEFAULT", "DETECTED", "LONGEST", "Environment", "Origin", "setting_name", "shown"]

T = TypeVar("T")
Names = str | Sequence[str]
ARGUMENT: Final = "argument"
DETECTED: Final = "detected"
DEFAULT: Final = "default"
#: Prefixes that say nothing about what is set; the longest come first.
PREFIXES: Final = ("OTEL_EXPORTER_OTLP_", "OTEL_EXPERIMENTAL_", "OTEL_PYTHON_", "OTEL_KIT_", "OTEL_")
SECRET: Final = re.compile("token|secret|passw|api.?key|app.?key|credential", re.IGNORECASE)
#: Nobody means a longer time, and threads and sockets cannot wait for one.
LONGEST: Final = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """One setting as people may see it: nothing secret is in it.

    Attributes:
        setting: its name: of the argument, of the resource attribute, or of the variable without its prefix.
        value: its value; of headers only the names.
        source: ``argument``, the name of a variable, ``detected`` or ``default``.
    """

    setting: str
    value: str
    source: str


class Environment:
    """Environment variables with the problems found in them.

    Attributes:
        problems: one sentence each: what, where, and after a semicolon what to do. Without secrets.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self._origins: dict[str, Origin] = {}
        self.problems: list[str] = []

    @property
    def origins(self) -> tuple[Origin, ...]:
        """What was asked for, in that order."""
        return tuple(self._origins.values())

    def note(self, setting: str, value: object, source: str) -> None:
        """Keep where a value came from; the last word about a setting counts."""
        secret = SECRET.search(setting) or SECRET.search(source)
        self._origins[setting] = Origin(
            setting=setting, value=HIDDEN if secret else _shown(value), source=source
        )

    def source(self, setting: str) -> str:
        """Where the value of a setting came from that was noted before."""
        return self._origins[setting].source

    def given(self, name: str, argument: T | None, otherwise: T) -> T:
        """An argument of `init` where the caller gave it, else what its variable says."""
        if argument is None:
            return otherwise
        self.note(name, argument, ARGUMENT)
        return argument

    def find(self, *names: str) -> tuple[str, str] | None:
        """Name and value of the first that is set; an empty variable counts as unset, as OpenTelemetry wants.

        Notes nothing.
        """
        for name in names:
            value = self._values.get(name, "").strip()
            if value:
                return name, value
        return None

    def text(self, *names: str) -> str | None:
        """The first non-empty value."""
        found = self.find(*names)
        if found is None:
            return None
        self.note(setting_name(names[0]), found[1], found[0])
        return found[1]

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false, in any case; our own variables may be 1 or 0, OpenTelemetry's must not."""
        short = {"1": "true", "0": "false"} if name.startswith("OTEL_KIT_") else {}

        def fold(value: str) -> str:
            return short.get(value, value.lower())

        return self.choice(name, ("true", "false"), str(default).lower(), fold=fold) == "true"

    def choice(
        self, name: Names, allowed: Sequence[str], default: str, *, fold: Callable[[str], str] = str.lower
    ) -> str:
        """One of `allowed`."""

        def read(value: str) -> str | None:
            return fold(value) if fold(value) in allowed else None

        return self._read(name, read, default, f"use one of {', '.join(allowed)}")

    def positive(self, name: Names, default: float, *, zero: bool = False) -> float:
        """A number above zero, or zero where that is allowed."""

        def read(value: str) -> float | None:
            try:
                number = float(value)
            except ValueError:
                return None
            return number if math.isfinite(number) and (number > 0 or (zero and number == 0)) else None

        return self._read(name, read, default, "use a positive number")

    def count(self, name: str, default: int) -> int:
        """A whole number from 1 on."""

        def read(value: str) -> int | None:
            return int(value) or None if _is_natural(value) else None

        return self._read(name, read, default, "use a whole number from 1 on")

    def natural(self, name: str) -> bool:
        """False, and a problem, for what is neither unset nor a whole number from 0 on."""
        found = self.find(name)
        if found is None:
            return True
        usable = _is_natural(found[1])
        if usable:
            self.note(setting_name(name), found[1], name)
        else:
            self.problems.append(f"{name}={quoted(found[1])} is left out; use a whole number from 0 on")
        return usable

    def seconds(self, names: Names, default: float) -> float:
        """A timeout in seconds, no longer than a day.

        The specification says milliseconds, the Python SDK reads seconds, and both are found in manifests.
        Nobody waits 1000 seconds for a collector or has it answer within a few milliseconds, so the size
        tells them apart.
        """
        number = self.positive(names, default)
        found = self.find(*_names(names))
        if found is None or number < 1000:
            return number
        number = min(number / 1000, LONGEST)
        self.note(setting_name(_names(names)[0]), f"{number:g} (read as milliseconds)", found[0])
        return number

    def words(
        self, name: Names, default: Sequence[str], *, refuse: Callable[[str], str] = lambda _: ""
    ) -> Sequence[str]:
        """A list separated by commas; the default where nothing is left of it.

        Args:
            name: of the variable, or of several.
            default: where none is set.
            refuse: says of a word what to do instead, or nothing where it can be used.
        """
        names = _names(name)
        source, text = self.find(*names) or (DEFAULT, "")
        kept = []
        for word in filter(None, (word.strip() for word in text.split(","))):
            fix = refuse(word)
            if fix:
                self.problems.append(f"{source}: {quoted(word)} is left out; {fix}")
            else:
                kept.append(word)
        self.note(setting_name(names[0]), kept or default, source if kept else DEFAULT)
        return kept or default

    def pairs(self, name: str, *, refuse: Callable[[str, str], str] = lambda *_: "") -> dict[str, str]:
        """``key=value,key2=value2`` with percent-encoded values (W3C baggage); the values may be secret.

        Args:
            name: of the variable.
            refuse: says of a pair what to do instead, or nothing where it can be used.
        """
        found = {}
        given = self.find(name)
        for word in given[1].split(",") if given else ():
            if not word.strip():
                continue
            key, equals, value = (part.strip() for part in word.partition("="))
            # With a blank in its name, or no value but the padding of base64, a secret stands where its name
            # should ("Authorization: Basic c2VjcmV0==").
            if not equals or len(key.split()) != 1 or (value and not value.strip("=")):
                self.problems.append(
                    f"{name}: an entry is no key=value and is left out; write key=value,key2=value2"
                )
            elif value:  # an empty one is what a template leaves of a setting that nobody made
                fix = refuse(key, unquote(value))
                if fix:
                    self.problems.append(f"{name}: the entry {quoted(key)} is left out; {fix}")
                else:
                    found[key] = unquote(value)
        if found:
            self.note(setting_name(name), list(found), name)
        return found

    def _read(self, name: Names, read: Callable[[str], T | None], default: T, fix: str) -> T:
        names = _names(name)
        found = self.find(*names)
        value = None if found is None else read(found[1])
        if value is not None and found is not None:
            self.note(setting_name(names[0]), value, found[0])
            return value
        if found is not None:
            self.problems.append(f"{found[0]}={quoted(found[1])} cannot be used, so {default!r} is; {fix}")
        self.note(setting_name(names[0]), default, DEFAULT)
        return default


def setting_name(variable: str) -> str:
    """``OTEL_KIT_LOG_LEVEL`` sets ``log_level``: the name without what all variables begin with."""
    prefix = next((p for p in PREFIXES if variable.startswith(p)), "")
    return variable.removeprefix(prefix).lower()


def shown(url: str) -> str:
    """The URL without what may be secret: credentials and query."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, set | frozenset):
        return ", ".join(sorted(map(str, value)))
    if isinstance(value, Collection) and not isinstance(value, str):
        return ", ".join(map(str, value))
    text = str(value)
    try:
        return shown(text) if "://" in text else text.rpartition("@")[2]
    except ValueError:  # no URL, whatever it looks like
        return HIDDEN


def _is_natural(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20


def _names(name: Names) -> Sequence[str]:
    return (name,) if isinstance(name, str) else name

"""Reads typed values from environment variables; what cannot be used is noted, and its default taken."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar
from urllib.parse import unquote

__all__ = ["Environment"]

T = TypeVar("T")


class Environment:
    """Environment variables with the problems found in them.

    Attributes:
        problems: one sentence each, without the values of headers.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.problems: list[str] = []

    def text(self, *names: str) -> str | None:
        """The first non-empty value; an empty variable counts as unset, as OpenTelemetry wants it."""
        for name in names:
            value = self._values.get(name, "").strip()
            if value:
                return value
        return None

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false, in any case."""
        return self.choice(name, ("true", "false"), str(default).lower()) == "true"

    def choice(
        self, name: str, allowed: Sequence[str], default: str, *, fold: Callable[[str], str] = str.lower
    ) -> str:
        """One of `allowed`."""
        value = self.text(name)
        if value is None:
            return default
        if fold(value) in allowed:
            return fold(value)
        return self._unusable(name, value, f"use one of {', '.join(allowed)}", default)

    def positive(self, name: str, default: float, *, zero: bool = False) -> float:
        """A number above zero, or zero where that is allowed."""
        value = self.text(name)
        if value is None:
            return default
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if math.isfinite(number) and (number > 0 or (zero and number == 0)):
            return number
        return self._unusable(name, value, "use a positive number", default)

    def natural(self, name: str) -> bool:
        """False, and a problem, for what is neither unset nor a whole number from 0 on."""
        value = self.text(name)
        if value is None or (value.isascii() and value.isdigit()):
            return True
        self.problems.append(f"{name}={value!r} cannot be used; use a whole number")
        return False

    def seconds(self, names: Sequence[str], default: float) -> float:
        """A timeout in seconds.

        The specification says milliseconds, the Python SDK reads seconds, and both are found in manifests.
        Nobody waits 1000 seconds for a collector or has it answer within a few milliseconds, so the size
        tells them apart.
        """
        for name in names:
            if self.text(name) is not None:
                number = self.positive(name, default)
                return number / 1000 if number >= 1000 else number
        return default

    def words(self, name: str, default: Sequence[str]) -> Sequence[str]:
        """A list separated by commas."""
        value = self.text(name)
        return default if value is None else [word.strip() for word in value.split(",") if word.strip()]

    def pairs(self, name: str) -> dict[str, str]:
        """``key=value,key2=value2`` with percent-encoded values (W3C baggage)."""
        found = {}
        for word in self.words(name, ()):
            key, equals, value = word.partition("=")
            if equals and key.strip():
                # An empty value is what a template leaves of a setting that nobody made.
                if value.strip():
                    found[key.strip()] = unquote(value.strip())
            else:
                self.problems.append(
                    f"{name}: an entry has no '=' and is left out; write key=value,key2=value2"
                )
        return found

    def _unusable(self, name: str, value: str, fix: str, default: T) -> T:
        self.problems.append(f"{name}={value!r} cannot be used, so {default!r} is; {fix}")
        return default

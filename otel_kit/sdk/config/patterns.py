"""What the rules of sampling and of trust have in common, and the names that packages offer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeVar
from urllib.parse import unquote

from otel_kit.sdk.config.refused import quoted

__all__ = ["is_offered", "pattern", "read_rules"]

T = TypeVar("T")


def read_rules(text: str, read: Callable[[str], T]) -> Iterator[tuple[str, T | str]]:
    """Each rule as it is written, with its meaning or with what is wrong with it.

    Args:
        text: rules with semicolons between them.
        read: gives the meaning of one; what is wrong is its ValueError.
    """
    for part in filter(None, (part.strip() for part in text.split(";"))):
        try:
            yield part, read(part)
        except ValueError as error:
            yield part, f"{quoted(part)}: {error}"


def pattern(text: str, *, segments: bool = False) -> re.Pattern[str]:
    """What a text has to match as a whole: ``*`` stands for any signs, ``%3B`` and its like for one sign.

    Args:
        text: the pattern.
        segments: ``{name}`` stands for one segment of a path.
    """
    regex = re.escape(unquote(text.strip())).replace(r"\*", ".*")
    if segments:
        # A parameter matches what stands in its place, and itself: a route may be known by its template.
        regex = re.sub(r"\\\{[^/]*?\\\}", "[^/]+", regex)
    return re.compile(regex, re.DOTALL)


def is_offered(group: str, name: str) -> bool:
    """Whether an installed package has an entry point of this name."""
    from importlib.metadata import entry_points

    return bool(entry_points(group=group, name=name))

"""What the rules of sampling and of trust have in common: patterns, and the names that packages offer."""

from __future__ import annotations

import re
from urllib.parse import unquote

__all__ = ["is_offered", "pattern"]


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

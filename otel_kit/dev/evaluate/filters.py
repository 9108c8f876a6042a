"""Does a series match ``{...}``?"""

from __future__ import annotations

import functools
import re
from collections.abc import Set as AbstractSet

from otel_kit.datadog.query import AllOf, AnyOf, Filter, Not, TagIn, TagIs

__all__ = ["matches"]


def matches(condition: Filter, tags: AbstractSet[str]) -> bool:
    """Whether `tags` (lower case, ``key:value``) fulfil `condition`."""
    if isinstance(condition, TagIs):
        return _has(condition.key, condition.value, tags)
    if isinstance(condition, TagIn):
        return any(_has(condition.key, value, tags) for value in condition.values)
    if isinstance(condition, Not):
        return not matches(condition.item, tags)
    if isinstance(condition, AllOf):
        return all(matches(item, tags) for item in condition.items)
    if isinstance(condition, AnyOf):
        return any(matches(item, tags) for item in condition.items)
    raise TypeError(f"the template variable ${condition.name} has no value")


def _has(key: str, value: str, tags: AbstractSet[str]) -> bool:
    wanted = f"{key}:{value}" if value else key
    if "*" not in wanted:
        return wanted in tags
    pattern = _pattern(wanted)
    return any(pattern.fullmatch(tag) for tag in tags)


@functools.lru_cache(maxsize=1024)
def _pattern(wanted: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in wanted.split("*")), re.DOTALL)

"""Values of the service as what JSON and OTLP have: a copy that cannot change, ends, and has a bound."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from otel_kit.sdk.text import text_of

__all__ = ["LONGEST", "clipped", "plain"]

#: Characters of one text, far below what Datadog takes (1 MB for a whole record).
LONGEST: Final = 256 * 1024
#: Values in all fields of one record together.
_VALUES: Final = 5000
_DEPTH: Final = 8
#: What OTLP has as a number, and readers of JSON keep.
_LOWEST: Final = -(1 << 63)
_HIGHEST: Final = (1 << 63) - 1
#: How to get the plain value of a subclass, as an enumeration is one, whatever the subclass makes of `str()`.
_SUBCLASSED: Final[tuple[tuple[type, Callable[[Any], Any]], ...]] = (
    (str, str.__str__),
    (int, int.__int__),
    (float, float.__float__),
)


def clipped(text: str) -> str:
    """The text, or its beginning and how much is missing."""
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]}... ({len(text) - LONGEST} characters left out)"


def plain(fields: Mapping[Any, Any]) -> dict[str, Any]:
    """The fields by name, with lists, mappings and values that JSON knows; of others their text."""
    budget = [_VALUES]
    return {_name(key): _value(value, 0, budget) for key, value in fields.items()}


def _name(key: Any) -> str:
    return key if type(key) is str else str.__str__(key) if isinstance(key, str) else text_of(key)


def _value(value: Any, depth: int, budget: list[int]) -> Any:
    kind = type(value)
    if kind is str:
        return clipped(value)
    if value is None or kind is bool or kind is float:
        return value
    if kind is int:
        return value if _LOWEST <= value <= _HIGHEST else clipped(text_of(value))
    for base, plainly in _SUBCLASSED:
        if isinstance(value, base):
            return _value(plainly(value), depth, budget)
    if depth < _DEPTH and isinstance(value, Mapping | list | tuple):
        try:
            return _container(value, depth + 1, budget)
        except Exception:  # a mapping of the service that does not behave as one, or changes meanwhile
            return clipped(text_of(value))
    return clipped(text_of(value)) if depth < _DEPTH else f"<{kind.__name__}>"


def _container(value: Any, depth: int, budget: list[int]) -> Any:
    if isinstance(value, Mapping):
        named: dict[str, Any] = {}
        for key, item in value.items():
            budget[0] -= 1
            if budget[0] < 0:
                named["..."] = f"{len(value) - len(named)} left out"
                break
            named[clipped(_name(key))] = _value(item, depth, budget)
        return named
    items: list[Any] = []
    for item in value:
        budget[0] -= 1
        if budget[0] < 0:
            items.append(f"... {len(value) - len(items)} left out")
            break
        items.append(_value(item, depth, budget))
    return items

"""Functions of an expression that work on one value at a time. Any other is refused by name."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable
from typing import Final

from otel_kit.datadog.query import Function, Number
from otel_kit.errors import InputError, UnsupportedError

__all__ = ["DEFAULT_ZERO", "EXCLUDE_NULL", "value_function"]

#: Gives a group without a value a zero; the caller knows what is missing.
DEFAULT_ZERO: Final = "default_zero"
#: Leaves out groups named by a missing tag.
EXCLUDE_NULL: Final = "exclude_null"

_SIMPLE: Final[dict[str, Callable[[float], float | None]]] = {
    "abs": abs,
    "log2": lambda value: math.log2(value) if value > 0 else None,
    "log10": lambda value: math.log10(value) if value > 0 else None,
}
_BOUNDED: Final[dict[str, Callable[[float, float], float | None]]] = {
    "clamp_min": max,
    "clamp_max": min,
    "cutoff_min": lambda value, bound: value if value >= bound else None,
    "cutoff_max": lambda value, bound: value if value <= bound else None,
}


def value_function(function: Function) -> Callable[[float], float | None]:
    """What `function` makes of a value; None means no value.

    Raises:
        UnsupportedError: the function is not evaluated.
        InputError: its arguments are wrong.
    """
    if function.name in _SIMPLE:
        _expect(function, 1)
        return _SIMPLE[function.name]
    if function.name in _BOUNDED:
        _expect(function, 2)
        bound = function.args[1]
        if not isinstance(bound, Number):
            raise InputError(f"the second argument of {function.name}() must be a number")
        limited = _BOUNDED[function.name]
        return lambda value: limited(value, bound.value)
    known = (*_SIMPLE, *_BOUNDED, DEFAULT_ZERO, EXCLUDE_NULL)
    near = difflib.get_close_matches(function.name, known, 1)
    raise UnsupportedError(
        f"the function {function.name}() is not evaluated", fix=f"did you mean {near[0]}()?" if near else None
    )


def _expect(function: Function, count: int) -> None:
    if function.options:
        raise UnsupportedError(f"{function.name}({function.options[0][0]}=...) is not evaluated")
    if len(function.args) != count:
        raise InputError(f"{function.name}() takes {count} argument{'s' if count > 1 else ''}")

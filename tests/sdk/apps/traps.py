"""Makes functions of the library raise, whoever holds a reference to them: by their code object.

What foreign code calls cannot guard itself against an error before its first line; so a trapped function
raises only where the library calls it.
"""

from __future__ import annotations

import contextlib
import inspect
import sys
import types
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

LIBRARY = "otel_kit"


class Injected(Exception):  # noqa: N818
    """The fault."""


class Panic(BaseException):
    """A fault of the kind that extensions written in Rust raise: no Exception."""


def functions() -> dict[str, types.FunctionType]:
    """All functions and methods of the modules of the library that are loaded, by their full names."""
    found: dict[str, types.FunctionType] = {}
    for module in [m for name, m in sys.modules.items() if name.split(".")[0] == LIBRARY]:
        for thing in list(vars(module).values()):
            for function in _of(thing):
                if function.__module__ == module.__name__:
                    found[f"{function.__module__}.{function.__qualname__}"] = function
    return found


def _of(thing: Any) -> Iterator[types.FunctionType]:
    parts = [thing]
    if isinstance(thing, type) and thing.__module__.split(".")[0] == LIBRARY:
        parts = list(vars(thing).values())
    for one in parts:
        part = one.fget if isinstance(one, property) else one
        plain = inspect.unwrap(getattr(part, "__func__", part)) if callable(part) else part
        if isinstance(plain, staticmethod | classmethod):
            plain = plain.__func__
        if isinstance(plain, types.FunctionType):
            yield plain


def _bomb(*args: Any, **kwargs: Any) -> Any:
    trap: Any = "TRAP"
    return trap(*args, **kwargs)


@contextlib.contextmanager
def trapped(
    function: types.FunctionType, hits: Counter[str], error: type[BaseException] | None
) -> Iterator[None]:
    """Within, each call of `function` by the library raises `error` (None: is only counted)."""
    code = function.__code__
    original = types.FunctionType(
        code, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    original.__kwdefaults__ = function.__kwdefaults__
    name = f"{function.__module__}.{function.__qualname__}"

    def trap(*args: Any, **kwargs: Any) -> Any:
        caller = sys._getframe(2).f_globals.get("__name__", "")
        if caller.split(".")[0] == LIBRARY:
            hits[name] += 1
            if error is not None:
                raise error(name)
        return original(*args, **kwargs)

    function.__code__ = _with(code, trap)
    try:
        yield
    finally:
        function.__code__ = code


def _with(code: types.CodeType, trap: Callable[..., Any]) -> types.CodeType:
    bomb = _bomb.__code__
    constants: tuple[Any, ...] = tuple(trap if one == "TRAP" else one for one in bomb.co_consts)
    return bomb.replace(co_consts=constants, co_freevars=code.co_freevars)

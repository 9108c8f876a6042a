"""What `otel_kit.instrument` can decorate, and what its arguments may be."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal, get_args

from otel_kit.errors import InputError

__all__ = ["Kind", "check", "check_function"]

#: In capitals as well, as `otel_kit.testing` shows them.
Kind = Literal[
    "internal",
    "server",
    "client",
    "producer",
    "consumer",
    "INTERNAL",
    "SERVER",
    "CLIENT",
    "PRODUCER",
    "CONSUMER",
]
#: Argument -> whether a value can be used, and what to do otherwise.
_USABLE: Final[dict[str, tuple[Callable[[object], bool], str]]] = {
    "name": (lambda value: value is None or isinstance(value, str), "give a string"),
    "kind": (lambda value: value in get_args(Kind), f"use one of {', '.join(get_args(Kind)[:5])}"),
    "attributes": (lambda value: value is None or isinstance(value, Mapping), "give a dict"),
    "record": (
        lambda value: isinstance(value, Sequence) and not isinstance(value, str),
        "give a list of names of parameters",
    ),
}


def check(**arguments: object) -> None:
    """Raise InputError for the first argument that cannot be used."""
    for name, value in arguments.items():
        usable, fix = _USABLE[name]
        if not usable(value):
            from otel_kit.sdk.config.refused import quoted

            raise InputError(f"instrument({name}={quoted(value)}) cannot be used", fix=fix)


def check_function(decorated: object) -> None:
    """Raise InputError for what is no function."""
    if isinstance(decorated, property):
        raise InputError("instrument() cannot decorate a property", fix="put it below @property")
    if not callable(decorated) or inspect.isclass(decorated):
        raise InputError(f"instrument() cannot decorate {decorated!r}", fix="decorate functions and methods")

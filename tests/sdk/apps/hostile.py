"""Values that no sensible service has, and that some service will have one day."""

from __future__ import annotations

import datetime
import decimal
import enum
import math
import uuid
from collections import UserDict, UserString
from random import Random
from typing import Any, Final

__all__ = ["any_value", "mapping", "text"]


class Mute:
    """Has no text, no hash and no equal."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__

    def __eq__(self, _: object) -> bool:
        raise RuntimeError("no equal")

    def __hash__(self) -> int:
        raise RuntimeError("no hash")

    def __bool__(self) -> bool:
        raise RuntimeError("neither")


class Liar(str):
    """A text of another class, which says so of itself."""

    __slots__ = ()

    def __str__(self) -> str:
        return self


class Broken(dict[Any, Any]):
    """A mapping whose members cannot be had."""

    def items(self) -> Any:
        """Fail."""
        raise RuntimeError("no items")

    __iter__ = keys = values = items


class Colour(enum.Enum):
    """An enumeration."""

    RED = "red"


def _circle() -> list[Any]:
    circle: list[Any] = [1]
    circle.append(circle)
    return circle


def _deep() -> list[Any]:
    deep: list[Any] = []
    for _ in range(2000):
        deep = [deep]
    return deep


_TEXTS: Final = (
    *(
        "",
        " ",
        "a",
        "\x00",
        "\ud800",
        "ключ",
        "😀" * 50,
        "a b",
        "a=b;c",
        "%s %d",
        "{}",
        "{0.__class__}",
        "\n\r\t",
    ),
    *("-", "9lives", "a.b.c", "a" * 300, "x" * 70_000, "http.route", "service.name", "trace_id", "message"),
    *(
        "' OR 1=1 --",
        "<script>",
        "password=hunter2",
        "\u202e",
        "\u017f",
        "null",
        "__proto__",
        "a/b",
        "Ünicode",
    ),
)
_VALUES: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, 1, -1, 1 << 63, -(1 << 63) - 1, 1 << 200, 0.0, -0.0, math.nan, math.inf, 5e-324),
    *(b"", b"\xff\x00", bytearray(b"x"), memoryview(b"y"), (), [], {}, set(), {1, 2}, frozenset({"a"})),
    *([None], [1, "a", None, 2.0], [b"x"], ["\ud800"], [[1], [2]], {"a": {"b": [1]}}, {1: 2}, {None: None}),
    *(Mute(), [Mute()], {"a": Mute()}, Liar("liar"), Broken(), UserDict({"a": 1}), UserString("user")),
    *(Colour.RED, Colour, object, object(), len, (lambda: 1), decimal.Decimal("1.5"), 1j, range(3)),
    *(datetime.datetime(2020, 1, 1), datetime.timedelta(1), uuid.UUID(int=5), ValueError("v"), ...),
    *(_circle(), _deep(), type("Odd", (), {"__class__": int})()),
)


def text(random: Random) -> str:
    """A text."""
    return random.choice(_TEXTS)


def any_value(random: Random) -> Any:
    """Anything."""
    return random.choice(_TEXTS if random.random() < 0.2 else _VALUES)


def mapping(random: Random) -> Any:
    """Something in the place of attributes: mostly a dict."""
    if random.random() < 0.15:
        return any_value(random)
    keys = (text(random) if random.random() < 0.9 else any_value(random) for _ in range(random.randrange(6)))
    found = {}
    for key in keys:
        try:
            found[key] = any_value(random)
        except Exception:  # a key that has no hash
            continue
    return found

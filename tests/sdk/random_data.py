"""Random attributes for the differential tests of the encoders: what OpenTelemetry's own take as well."""

from __future__ import annotations

import math
from random import Random
from typing import Any, Final

__all__ = ["attributes", "text", "value"]

_SIGNS: Final = "ab/{}=,;\x00\n\"'ß€😀\ud7ff"
_KEYS: Final = ("http.route", "k", "ключ", "a" * 300, "user.id", "\x00", "with space")


def text(random: Random) -> str:
    """A text, empty up to some thousand signs."""
    return "".join(random.choices(_SIGNS, k=random.choice((0, 1, 5, 40, 130, 1000))))


def value(random: Random, depth: int = 0) -> Any:
    """A value of any kind that an attribute may have."""
    kind = random.randrange(10 if depth < 4 else 8)
    if kind < 2:
        return text(random)
    if kind == 2:
        return random.random() < 0.5
    if kind in (3, 4):
        bits = random.choice((3, 7, 14, 31, 62))
        return random.choice((-1, 1)) * random.getrandbits(bits)
    if kind == 5:
        return random.choice((0.0, -0.0, 1.0, math.inf, -math.inf, 5e-324, random.random() * 1e9))
    if kind == 6:
        return random.randbytes(random.choice((0, 1, 200)))
    if kind == 7:
        return random.choice((None, -(1 << 63), (1 << 63) - 1, "", True, 1, 1.0))
    many = range(random.randrange(5))
    if kind == 8:
        return [value(random, depth + 1) for _ in many]
    return {random.choice(_KEYS): value(random, depth + 1) for _ in many}


def attributes(random: Random) -> dict[str, Any]:
    """A few attributes."""
    return {random.choice(_KEYS): value(random) for _ in range(random.randrange(8))}

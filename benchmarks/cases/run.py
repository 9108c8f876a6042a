"""What a case gets and gives."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.peers import KIT, NONE, RAW, Peer

__all__ = ["Case", "Measured", "Run", "log"]

#: A peer's name and its figures in one round; None where it failed.
Measured = tuple[str, Mapping[str, float] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How to measure: these peers, each so often, each time about so long."""

    peers: Sequence[Peer]
    repeats: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Something to measure.

    Attributes:
        measure: yields what it measured, peer by peer and round by round.
        peers: names of the peers that it makes sense for.
        repeats: rounds of a full run.
        seconds: how long to load or to repeat.
        quick: repeats and seconds of a quick run.
        quick_peers: whom a quick run measures.
    """

    measure: Callable[[Run], Iterator[Measured]]
    peers: Sequence[str]
    repeats: int
    seconds: float
    quick: tuple[int, float]
    quick_peers: Sequence[str] = (NONE, RAW, KIT)


def log(*words: object) -> None:
    """One line on stderr about how it goes."""
    print(time.strftime("%H:%M:%S"), *words, file=sys.stderr, flush=True)  # noqa: T201

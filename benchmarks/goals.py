"""The figures that count, and what each has to be."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from benchmarks.peers import BARE, KIT, NONE, OFF, RAW
from benchmarks.results import Results

__all__ = ["FIGURES", "Figure", "Row", "delivered", "rows"]

Kind = Literal["value", "ratio", "difference", "share"]
#: A peer that delivers less than this share of what it made has not done the work.
_ENOUGH: Final = 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table.

    Attributes:
        title: what it is.
        case: where it is measured.
        measure: name of the measured value there.
        kind: the value itself; over the uninstrumented one (`ratio`, `difference`); or the difference as a
            share of raw OpenTelemetry's difference.
        unit: for the table.
        goal: what otel-kit must not exceed, or with `more` must reach; None: told without a goal.
        more: whether more is better.
        ours: which peer stands for otel-kit.
        scale: what raw OpenTelemetry takes on the machine for which the goal in microseconds or milliseconds
            was set. Machines differ by a factor, so otel-kit's share of raw OpenTelemetry's time in one run,
            times this, is what the goal is about; None: the figure itself is.
        to: what `ratio` and `difference` compare with; where that is otel-kit itself, or `ours` is one of its
            variants, there is no peer to name.
    """

    title: str
    case: str
    measure: str
    kind: Kind = "value"
    unit: str = ""
    goal: float | None
    more: bool = False
    ours: str = KIT
    scale: float | None = None
    to: str = NONE

    @property
    def has_peers(self) -> bool:
        """Whether other peers have this figure, too."""
        return self.ours == KIT and self.to == NONE


FIGURES: Final = (
    Figure(title="CPU of a FastAPI request (trace, metrics, one log line) over an uninstrumented one",
           case="fastapi", measure="cpu_us", kind="ratio", unit="x", goal=1.4),
    Figure(title="its extra cost, as a share of raw OpenTelemetry's",
           case="fastapi", measure="cpu_us", kind="share", goal=0.12),
    Figure(title="the same behind 100 other routes, over uninstrumented",
           case="fastapi-routes", measure="cpu_us", kind="ratio", unit="x", goal=1.6),
    Figure(title="CPU of a grpc.aio unary call over an uninstrumented one",
           case="grpc", measure="cpu_us", kind="ratio", unit="x", goal=1.3),
    Figure(title="span with 5 attributes, whole process, sending included",
           case="span", measure="us", unit="µs", goal=9, scale=40.7),
    Figure(title="log record over OTLP, over a plain record",
           case="log", measure="us", kind="difference", unit="µs", goal=5, scale=30.6),
    Figure(title="histogram.record with 3 attributes", case="histogram", measure="us", unit="µs", goal=1.5,
           scale=6.2),
    Figure(title="sending a span with 10 attributes", case="export", measure="us", unit="µs", goal=6,
           scale=34.5),
    Figure(title="highest paced rate of spans, none lost",
           case="rate", measure="per_second", unit="/s", goal=80_000, more=True),
    Figure(title="cold import and init, over bare Python",
           case="startup", measure="ms", kind="difference", unit="ms", goal=110, scale=144),
    Figure(title="p99 at 400 requests/s over uninstrumented",
           case="fastapi", measure="p99_ms", kind="ratio", unit="x", goal=1.3),
    Figure(title="switched off (`OTEL_SDK_DISABLED=true`): CPU of a FastAPI request over no otel-kit",
           case="fastapi", measure="cpu_us", kind="ratio", unit="x", goal=1.05, ours=OFF),
    Figure(title="redaction: CPU of a FastAPI request over one without it",
           case="fastapi", measure="cpu_us", kind="ratio", unit="x", goal=None, to=BARE),
    Figure(title="redaction: a span with 10 attributes, over one without it",
           case="export", measure="us", kind="difference", unit="µs", goal=None, to=BARE),
    Figure(title="end of a process, collector refuses",
           case="ending", measure="refused_s", unit="s", goal=3.5),
    Figure(title="end of a process, collector never answers",
           case="ending", measure="silent_s", unit="s", goal=3.5),
    Figure(title="spans of 20 requests that arrive after SIGTERM",
           case="sigterm", measure="spans", goal=20, more=True),
    Figure(title="log records of 20 requests that arrive after SIGTERM",
           case="sigterm", measure="logs", goal=20, more=True),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A figure as it was measured; not a number where it was not.

    Attributes:
        figure: which.
        ours: otel-kit's.
        scaled: the same on the machine for which the goal was set.
        raw: raw OpenTelemetry's.
        best: the best of the other peers that deliver, and its name.
        met: whether ours reaches the goal; None without a goal or a measurement.
    """

    figure: Figure
    ours: float
    scaled: float
    raw: float
    best: tuple[float, str]
    met: bool | None


def rows(results: Results) -> list[Row]:
    """All figures of a run."""
    return [_row(results, figure) for figure in FIGURES if figure.case in results.cases]


def _row(results: Results, figure: Figure) -> Row:
    ours = _value(results, figure, figure.ours)
    scaled = _scaled(results, figure)
    counts = ours if figure.scale is None else scaled
    others = [
        (_value(results, figure, peer), peer)
        for peer in results.cases[figure.case]
        if figure.has_peers
        and peer != NONE
        and not peer.startswith(KIT)
        and delivered(results, figure.case, peer) >= _ENOUGH
    ]
    known = [other for other in others if not math.isnan(other[0])]
    pick: Callable[[Sequence[tuple[float, str]]], tuple[float, str]] = max if figure.more else min
    met = None
    if figure.goal is not None and not math.isnan(counts):
        reached = counts >= figure.goal if figure.more else counts <= figure.goal
        met = reached and delivered(results, figure.case, figure.ours) >= _ENOUGH
    return Row(
        figure=figure,
        ours=ours,
        scaled=scaled,
        raw=_value(results, figure, RAW) if figure.has_peers else math.nan,
        best=pick(known) if known else (math.nan, ""),
        met=met,
    )


def delivered(results: Results, case: str, peer: str) -> float:
    """Of what a peer had to deliver in a case, the share that arrived: of the kind that fared worst.

    Ratios above one are other items of the same kind, such as spans of a framework: they are no loss.
    """
    rounds = [r for r in results.cases[case].get(peer, []) if r]
    kinds = {name for r in rounds for name in r if name.endswith("delivered")}
    shares = (statistics.median(r[name] for r in rounds if name in r) for name in kinds)
    return min((1.0, *shares))


def _value(results: Results, figure: Figure, peer: str) -> float:
    """The median over the rounds of what each round gives: so what drifts hits both sides of a ratio."""
    mine = results.values(figure.case, peer, figure.measure)
    if figure.kind == "value":
        return _median(mine)
    base = results.values(figure.case, figure.to, figure.measure)
    if figure.kind == "ratio":
        return _median(a / b for a, b in zip(mine, base, strict=False))
    if figure.kind == "difference":
        return _median(a - b for a, b in zip(mine, base, strict=False))
    raw = results.values(figure.case, RAW, figure.measure)
    return _median((a - b) / (c - b) for a, b, c in zip(mine, base, raw, strict=False))


def _scaled(results: Results, figure: Figure) -> float:
    """Not a number where the figure needs no scale, or raw OpenTelemetry was not measured."""
    if figure.scale is None:
        return math.nan
    mine = results.values(figure.case, figure.ours, figure.measure)
    raw = results.values(figure.case, RAW, figure.measure)
    base = [0.0] * len(raw)
    if figure.kind == "difference":
        base = results.values(figure.case, figure.to, figure.measure)
    return figure.scale * _median((a - b) / (c - b) for a, b, c in zip(mine, base, raw, strict=False))


def _median(values: Iterable[float]) -> float:
    good = [value for value in values if not math.isnan(value)]
    return statistics.median(good) if good else math.nan

"""The result file: what was measured in each round, where, when and with which versions."""

from __future__ import annotations

import datetime
import json
import math
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.peers import ROOT

__all__ = ["FULL", "SOAK", "WARM_UP", "Results", "load", "machine", "save", "today"]

FULL: Final = ROOT / "benchmarks" / "results" / "full.json"
SOAK: Final = ROOT / "benchmarks" / "results" / "soak.json"
#: Cycles of the soak that fill what is bounded.
WARM_UP: Final = 2

#: One round of one peer: measure to value; None where the peer failed.
Round = Mapping[str, float] | None


def today() -> str:
    """The date, by UTC."""
    return datetime.datetime.now(datetime.timezone.utc).date().isoformat()


@dataclass(kw_only=True)
class Results:
    """One run.

    Attributes:
        machine: processor, cores, Python, system.
        date: when, by UTC.
        quick: few rounds, so for orientation only.
        versions: environment to package to version.
        cases: case to peer to its rounds, in order: the same index is the same round.
    """

    machine: Mapping[str, Any]
    quick: bool
    date: str = field(default_factory=today)
    versions: dict[str, Mapping[str, str]] = field(default_factory=dict)
    cases: dict[str, dict[str, list[Round]]] = field(default_factory=dict)

    def values(self, case: str, peer: str, measure: str) -> list[float]:
        """A measure of a peer in each round; not a number where it failed or lacks it."""
        rounds: Sequence[Round] = self.cases.get(case, {}).get(peer, [])
        return [math.nan if r is None else r.get(measure, math.nan) for r in rounds]


def machine() -> dict[str, Any]:
    """This machine."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )
    return {
        "cpu": model,
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
    }


def save(results: Results, path: Path) -> None:
    """Write a result file, with the median and the spread of each measure beside its rounds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**asdict(results), "summary": _summary(results)}, indent=1) + "\n")


def load(path: Path) -> Results:
    """Read a result file."""
    data = json.loads(path.read_text())
    del data["summary"]
    return Results(**data)


def _summary(results: Results) -> dict[str, Any]:
    return {
        case: {
            peer: {
                measure: _median_and_spread(results.values(case, peer, measure))
                for measure in sorted({name for r in rounds if r for name in r})
            }
            for peer, rounds in peers.items()
        }
        for case, peers in results.cases.items()
    }


def _median_and_spread(values: Sequence[float]) -> dict[str, float]:
    good = [value for value in values if not math.isnan(value)]
    return {"median": _short(statistics.median(good)), "min": _short(min(good)), "max": _short(max(good))}


def _short(value: float) -> float:
    return float(f"{value:.4g}")

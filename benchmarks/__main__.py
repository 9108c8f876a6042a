"""Measures the peers against each other on this machine: ``python -m benchmarks``.

Each peer runs in processes of its own, in rounds (A B C, B C A, ...). Only ratios within one run mean
something. The results go to a JSON file, from which `python -m benchmarks.report` makes the tables.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from benchmarks import report, venvs
from benchmarks.cases import CASES
from benchmarks.cases.run import Case, Measured, Run, log
from benchmarks.peers import PEERS, ROOT, Peer
from benchmarks.results import FULL, Results, machine, save

_SCRATCH: Final = ROOT / "build" / "bench"


def main() -> int:
    """Measure what the arguments name."""
    options = _options()
    cases = options.only or list(CASES)
    chosen = {name: _peers(CASES[name], options) for name in cases}
    environments = {peer.venv: peer for peers in chosen.values() for peer in peers}
    venvs.make(environments.values())
    results = Results(machine=machine(), quick=options.quick)
    results.versions = {name: venvs.versions(peer) for name, peer in environments.items()}
    out = options.out or (_SCRATCH / "quick.json" if options.quick or options.only or options.peers else FULL)
    for name, peers in chosen.items():
        case = CASES[name]
        quick_repeats, quick_seconds = case.quick
        run = Run(
            peers=peers,
            repeats=options.repeats or (quick_repeats if options.quick else case.repeats),
            seconds=quick_seconds if options.quick else case.seconds,
        )
        log(f"{name}: {' '.join(peer.name for peer in peers)}, {run.repeats} times")
        for measured in case.measure(run):
            _note(results, name, measured)
        save(results, out)
    log(f"written: {out}")
    sys.stdout.write(report.markdown(results))
    return 0


def _note(results: Results, case: str, measured: Measured) -> None:
    peer, figures = measured
    results.cases.setdefault(case, {}).setdefault(peer, []).append(figures)
    shown = "failed" if figures is None else ", ".join(f"{k} {v:.4g}" for k, v in figures.items())
    log(f"  {peer}: {shown}")


def _peers(case: Case, options: argparse.Namespace) -> list[Peer]:
    names = case.quick_peers if options.quick else case.peers
    if options.peers:
        names = [name for name in case.peers if name in options.peers]
    return [PEERS[name] for name in names]


def _options() -> argparse.Namespace:
    def words(known: Iterable[str]) -> Callable[[str], list[str]]:
        def split(text: str) -> list[str]:
            names = text.split(",")
            for name in names:
                if name not in known:
                    raise argparse.ArgumentTypeError(f"{name} is not one of {', '.join(known)}")
            return names

        return split

    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    about = "; ".join(f"{name}: {case.measure.__doc__}" for name, case in CASES.items())
    parser.add_argument("--only", type=words(CASES), help=f"cases, separated by commas. {about}")
    parser.add_argument("--peers", type=words(PEERS), help=f"of {', '.join(PEERS)}; by default all")
    parser.add_argument("--repeats", type=int, help="rounds; by default each case's own")
    parser.add_argument("--quick", action="store_true", help="few peers, few rounds: three minutes at most")
    parser.add_argument("--out", type=Path, help=f"result file; of a full run {FULL.relative_to(ROOT)}")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

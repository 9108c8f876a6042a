"""Shows a result file as Markdown: ``python -m benchmarks.report [FILE] [--readme README.md]``.

With ``--readme`` what the committed files say replaces what stands there between the two markers
``<!-- benchmarks -->``.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks.goals import Row, delivered, rows
from benchmarks.peers import NONE, PEERS
from benchmarks.results import FULL, SOAK, WARM_UP, Results, load

__all__ = ["MARKER", "fill", "for_readme", "markdown", "soaked", "table"]

MARKER: Final = "<!-- benchmarks -->"


def table(results: Results) -> str:
    """The figures beside their goals, and where they were measured."""
    lines = ["| figure | goal | otel-kit | scaled | OpenTelemetry | best peer | met |", "|" + "---|" * 7]
    lines += [_line(row) for row in rows(results)]
    machine = results.machine
    where = f"{machine['cpu']}, {machine['cores']} cores, Python {machine['python']}, {results.date}"
    how = "A quick run: for orientation only." if results.quick else "Medians; ratios within one run."
    scaled = (
        "Scaled: times depend on the machine, so for these figures otel-kit's share of OpenTelemetry's time "
        "in the same run counts, on the machine for which the goals were set."
    )
    return "\n".join([*lines, "", f"Measured on {where}. {how} {scaled} {_versions(results)}", ""])


def markdown(results: Results) -> str:
    """`table`, and the medians of all that was measured, peer by peer."""
    parts = [table(results)]
    for case, peers in results.cases.items():
        measures = list(dict.fromkeys(name for rounds in peers.values() for r in rounds if r for name in r))
        parts.append(f"### {case}\n")
        parts.append("| peer | " + " | ".join(measures) + " |")
        parts.append("|---|" + "---|" * len(measures))
        for peer in sorted(peers, key=list(PEERS).index):
            cells = [_median_and_range(results.values(case, peer, measure)) for measure in measures]
            lost = "" if peer == NONE or delivered(results, case, peer) >= 0.99 else " (loses some)"
            parts.append(f"| {peer}{lost} | " + " | ".join(cells) + " |")
        parts.append("")
    return "\n".join(parts) + "\n"


def soaked(result: Mapping[str, Any]) -> str:
    """What the result file of the soak says, in one sentence."""
    counts = result["counts"]
    first, last = (result["cycles"][cycle]["resident_mib"] for cycle in (WARM_UP, -1))
    return (
        f"`make soak`, {result['minutes']:g} minutes at 200 requests/s with a collector that fails in every "
        f"way: {first:.1f} MiB after the warm-up, {last:.1f} MiB at the end; of {counts['spans_made']:,} "
        f"spans {counts['spans_arrived']:,} arrived and {counts['spans_dropped']:,} were told as dropped.\n"
    )


def for_readme() -> str:
    """What the README shows: of the committed result files."""
    text = table(load(FULL))
    return f"{text}\n{soaked(json.loads(SOAK.read_text()))}" if SOAK.exists() else text


def fill(text: str, content: str) -> str:
    """`text` with `content` between its two markers.

    Raises:
        ValueError: it has not just two markers.
    """
    parts = text.split(MARKER)
    if len(parts) != 3:
        raise ValueError(f"{MARKER} must stand twice in the text, it stands there {len(parts) - 1} times")
    return f"{parts[0]}{MARKER}\n\n{content}\n{MARKER}{parts[2]}"


def _line(row: Row) -> str:
    figure = row.figure
    best, name = row.best
    sign = "≥" if figure.more else "≤"
    goal = "" if figure.goal is None else f"{sign} {_with_unit(figure.goal, figure.unit)}"
    met = {True: "yes", False: "**no**", None: ""}[row.met]
    cells = [
        figure.title,
        goal,
        _with_unit(row.ours, figure.unit),
        _with_unit(row.scaled, figure.unit),
        _with_unit(row.raw, figure.unit),
        f"{_with_unit(best, figure.unit)} ({name})" if name else "",
        met,
    ]
    return f"| {' | '.join(cells)} |"


def _with_unit(value: float, unit: str) -> str:
    if math.isnan(value):
        return ""
    return f"{_number(value)}{unit}" if unit in ("", "x", "/s") else f"{_number(value)} {unit}"


def _number(value: float) -> str:
    if math.isnan(value):
        return "-"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _median_and_range(values: list[float]) -> str:
    good = sorted(value for value in values if not math.isnan(value))
    if not good:
        return "-"
    middle = (good[(len(good) - 1) // 2] + good[len(good) // 2]) / 2
    return f"{_number(middle)} ({_number(good[0])} to {_number(good[-1])})"


def _versions(results: Results) -> str:
    wanted = ("opentelemetry-sdk", "ddtrace", "logfire", "fastapi", "uvicorn", "grpcio")
    found: dict[str, str] = {}
    for packages in results.versions.values():
        found |= {name: packages[name] for name in wanted if name in packages}
    return "Versions: " + ", ".join(f"{name} {found[name]}" for name in wanted if name in found) + "."


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=FULL)
    parser.add_argument("--readme", type=Path)
    options = parser.parse_args()
    if options.readme is None:
        sys.stdout.write(markdown(load(options.file)))
    else:
        options.readme.write_text(fill(options.readme.read_text(), for_readme()))


if __name__ == "__main__":
    main()

"""Series in memory, and a monitor on them, for evaluations at a time of the test's choosing."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from otel_kit.dev.evaluate.monitor import GroupState, evaluate_monitor
from otel_kit.dev.evaluate.notify import Notification
from otel_kit.dev.evaluate.series import SeriesData
from otel_kit.dev.model import Distribution, MetricType

#: A minute that is also a bucket of 20 s, 60 s and 300 s.
NOW = 1_800_000_000 // 300 * 300


@dataclass
class Memory:
    """A `SeriesReader` over what was put in."""

    found: dict[tuple[str, frozenset[str]], tuple[MetricType, dict[int, float | Distribution]]] = field(
        default_factory=dict
    )

    def put(
        self, metric: str, points: Mapping[int, float | Distribution], *tags: str, kind: MetricType = "gauge"
    ) -> Memory:
        """Points by second, counted from `NOW` (-10 is ten seconds ago)."""
        _, known = self.found.setdefault((metric, frozenset(tags)), (kind, {}))
        known.update({NOW + second: value for second, value in points.items()})
        return self

    def count(self, metric: str, points: Mapping[int, float], *tags: str) -> Memory:
        """The same, of a count."""
        return self.put(metric, dict(points), *tags, kind="count")

    def read(self, metric: str, start: int, end: int) -> Sequence[SeriesData]:
        return [
            SeriesData(
                tags=tags,
                type=kind,
                first=min(points),
                last=max(points),
                points=[(second, value) for second, value in sorted(points.items()) if start <= second < end],
            )
            for (name, tags), (kind, points) in self.found.items()
            if name == metric
        ]


def distribution(values: Iterable[float], bounds: Sequence[float] = ()) -> Distribution:
    """What an explicit histogram of `values` becomes: buckets narrowed by the extremes."""
    found = sorted(values)
    edges = [found[0], *(b for b in bounds if found[0] < b < found[-1]), found[-1]]
    buckets = []
    for index, (low, high) in enumerate(itertools.pairwise(edges)):
        first = index == 0
        count = sum((low <= v if first else low < v) and v <= high for v in found)
        if count:
            buckets.append((low, high, float(count)))
    return Distribution(
        count=float(len(found)), sum=sum(found), min=found[0], max=found[-1], buckets=tuple(buckets)
    )


def monitor(query: str, message: str = "", **options: Any) -> dict[str, Any]:
    """A monitor as the API shows it."""
    return {
        "id": 1,
        "name": "m",
        "type": "query alert",
        "query": query,
        "message": message,
        "options": options,
    }


class Watch:
    """One monitor, evaluated again and again; what it was and what it told."""

    def __init__(self, definition: dict[str, Any], series: Memory) -> None:
        self.definition = definition
        self.series = series
        self.groups: dict[str, GroupState] = {}
        self.told: list[Notification] = []

    def at(self, second: int) -> dict[str, str]:
        """Evaluate `second` seconds after NOW; the states by group."""
        outcome = evaluate_monitor(self.definition, self.series, NOW + second, self.groups)
        self.groups = dict(outcome.groups)
        self.told += outcome.notifications
        return {name: group.state for name, group in self.groups.items()}

    def changes(self) -> list[tuple[str, str, str]]:
        return [(n.change.group, n.change.before, n.change.after) for n in self.told]

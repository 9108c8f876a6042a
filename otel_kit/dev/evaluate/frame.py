"""Values by group and bucket, between the steps of an evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from otel_kit.dev.evaluate.series import Group

__all__ = ["Frame", "Seen", "merge_seen"]

Row = Mapping[int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Seconds of a group's first and last point ever, and whether it has one in the time looked at."""

    first: int
    last: int
    present: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What a query or an expression is, bucket by bucket. A bucket that is missing has no value.

    Attributes:
        by: the tag keys that groups are named by.
        step: seconds of a bucket; 0 for a constant, which fits any.
        rows: values by group; a group that was seen but has no point now has an empty row.
        seen: when each group was seen.
        constant: set for a number, which has no rows.
    """

    by: tuple[str, ...] = ()
    step: int = 0
    rows: Mapping[Group, Row] = field(default_factory=dict)
    seen: Mapping[Group, Seen] = field(default_factory=dict)
    constant: float | None = None


def merge_seen(left: Mapping[Group, Seen], right: Mapping[Group, Seen]) -> dict[Group, Seen]:
    """The widest time of each group."""
    found = dict(left)
    for group, seen in right.items():
        known = found.get(group)
        found[group] = seen if known is None else _widest(known, seen)
    return found


def _widest(one: Seen, other: Seen) -> Seen:
    return Seen(
        first=min(one.first, other.first),
        last=max(one.last, other.last),
        present=one.present or other.present,
    )

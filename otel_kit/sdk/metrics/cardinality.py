"""Which attribute makes a metric have more attribute sets than the limit allows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from otel_kit.sdk.metrics.match import OVERFLOW
from otel_kit.sdk.notes import LOGGER

__all__ = ["Offender", "Watch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offender:
    """A metric that has overflowed.

    Attributes:
        metric: its name.
        attribute: the attribute with the most distinct values.
        values: how many of them there were when it was looked into.
        limit: attribute sets that this metric may have; what came beyond is added up in one more, which has
            the attribute ``otel.metric.overflow`` alone.
    """

    metric: str
    attribute: str
    values: int
    limit: int


class Watch:
    """Notices overflows at collections, and warns of each metric once."""

    def __init__(self) -> None:
        self._found: dict[str, Offender] = {}

    def offenders(self) -> list[Offender]:
        """The metrics that have overflowed since the process began, by name."""
        return [self._found[name] for name in sorted(self._found)]

    def look_into(self, storage: Any) -> None:
        """Look for overflows among what is about to be collected."""
        for matches in storage._instrument_view_instrument_matches.copy().values():
            for match in matches:
                if OVERFLOW in match._attributes_aggregation and match._name not in self._found:
                    self._note(match)

    def _note(self, match: Any) -> None:
        with match._lock:
            sets = [aggregation._attributes or {} for aggregation in match._attributes_aggregation.values()]
        attribute, values = most_varied(sets)
        found = Offender(metric=match._name, attribute=attribute, values=values, limit=match.limit)
        self._found[found.metric] = found
        LOGGER.warning(
            "otel-kit: the metric %s has more than %d attribute sets; the rest is added up under "
            "otel.metric.overflow=true. Most values (%d) has its attribute %s: leave it out",
            found.metric,
            found.limit,
            found.values,
            found.attribute,
        )


def most_varied(sets: Iterable[Mapping[str, Any]]) -> tuple[str, int]:
    """The attribute with the most distinct values, and their number."""
    values: dict[str, set[str]] = {}
    for attributes in sets:
        for key, value in attributes.items():
            values.setdefault(key, set()).add(repr(value))
    name = max(sorted(values), key=lambda key: len(values[key]))
    return name, len(values[name])

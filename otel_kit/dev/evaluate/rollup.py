"""One metric query -> values by group and bucket: select, roll up in time, fill, aggregate over series.

Documented: a count is rolled up by sum and anything else by avg; gaps of a gauge up to 300 s are
interpolated, those of counts are not (https://docs.datadoghq.com/dashboards/functions/interpolation/).
Chosen: ``min:`` and ``max:`` roll up by themselves, so that ``max`` means the highest point; a distribution
is merged over time and series before anything is read from it, as Datadog says of distributions. A sum that
leaves the range of floats is no value.

The buckets are those of graphs (`steps`), also in monitors: 20 s up to an hour. Of a gauge that comes once a
minute two of three buckets are thus filled by interpolation, and ``sum`` over time adds up those as well.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from otel_kit.datadog.query import MetricQuery, Variable, filter_terms
from otel_kit.dev.evaluate.distributions import merged, percentile
from otel_kit.dev.evaluate.filters import matches
from otel_kit.dev.evaluate.frame import Frame, Seen, merge_seen
from otel_kit.dev.evaluate.modifiers import Plan, plan_of
from otel_kit.dev.evaluate.series import Group, SeriesData, SeriesReader, Span
from otel_kit.dev.model import Distribution
from otel_kit.dev.numbers import finite
from otel_kit.errors import InputError, UnsupportedError

__all__ = ["frame_of"]

Row = dict[int, float]
#: Each series is filled bucket by bucket, so a year of seconds would fill the memory.
_MAX_BUCKETS: Final = 10_000
_PERCENTILE: Final = re.compile(r"p(\d{1,2}(?:\.\d+)?)")
_AGGREGATE: Final[dict[str, Callable[[Sequence[float]], float]]] = {
    "avg": lambda values: sum(values) / len(values),
    "sum": sum,
    "min": min,
    "max": max,
    "count": lambda values: float(len(values)),
}


def frame_of(query: MetricQuery, reader: SeriesReader, span: Span, *, missing_tag: str | None) -> Frame:
    """Evaluate one query. `missing_tag` names a tag that a series lacks; with None the series is left out.

    Raises:
        UnsupportedError: an aggregator or modifier that is not evaluated, by name.
        InputError: more buckets than a series may have.
    """
    plan = plan_of(query)
    _check(query)
    span = span.with_step(plan.step or span.step)
    if len(span.buckets()) > _MAX_BUCKETS:
        raise InputError(
            f"{len(span.buckets())} steps of {span.step} s are more than the {_MAX_BUCKETS} of one series",
            fix="roll up to longer steps, or ask for less time",
        )
    members: defaultdict[Group, list[SeriesData]] = defaultdict(list)
    for series in reader.read(query.metric, span.start, span.end):
        # What begins after the time looked at was not there yet.
        if series.first < span.end and matches(query.filter, series.tags):
            for group in _groups(query.by, series, missing_tag):
                members[group].append(series)
    rows = {group: _row(query, plan, found, span) for group, found in members.items()}
    seen = {group: _seen(found) for group, found in members.items()}
    return Frame(by=query.by, step=span.step, rows=rows, seen=seen)


def _check(query: MetricQuery) -> None:
    """Refuse before there is any series, so that a monitor without data tells of it as well."""
    if query.aggregator not in _AGGREGATE and not _PERCENTILE.fullmatch(query.aggregator):
        raise UnsupportedError(f"the aggregator {query.aggregator!r} is not evaluated")
    for term in filter_terms(query.filter):
        if isinstance(term, Variable):
            raise UnsupportedError(f"the template variable ${term.name} has no value here")


def _groups(by: Sequence[str], series: SeriesData, missing_tag: str | None) -> Iterator[Group]:
    """A series is in as many groups as its tags have values for the keys."""
    choices = []
    for key in by:
        prefix = f"{key.lower()}:"
        found = sorted(tag for tag in series.tags if tag.startswith(prefix))
        if not found and missing_tag is None:
            return
        choices.append(found or [f"{prefix}{missing_tag}"])
    yield from itertools.product(*choices)


def _seen(members: Iterable[SeriesData]) -> Seen:
    found: dict[Group, Seen] = {}
    for series in members:
        found = merge_seen(
            found, {(): Seen(first=series.first, last=series.last, present=bool(series.points))}
        )
    return found[()]


def _row(query: MetricQuery, plan: Plan, members: Sequence[SeriesData], span: Span) -> Row:
    if members[0].type == "distribution":
        row = _distribution_row(query, plan, members, span)
    else:
        row = _number_row(query, plan, members, span)
    row = {bucket: value for bucket, value in row.items() if finite(value) is not None}
    if plan.as_rate:
        row = {bucket: value / span.step for bucket, value in row.items()}
    if plan.fill == "zero":
        row = {bucket: row.get(bucket, 0.0) for bucket in span.buckets()}
    return row


def _distribution_row(query: MetricQuery, plan: Plan, members: Sequence[SeriesData], span: Span) -> Row:
    if (
        plan.rollup
        and plan.rollup != query.aggregator
        and {plan.rollup, query.aggregator} != {"sum", "count"}
    ):
        raise UnsupportedError(
            f"{query.aggregator}: of a distribution with .rollup({plan.rollup}) is not evaluated"
        )
    parts: defaultdict[int, list[Distribution]] = defaultdict(list)
    for series in members:
        for second, value in series.points:
            assert isinstance(value, Distribution)
            parts[second - second % span.step].append(value)
    return {bucket: _statistic(query.aggregator, merged(found)) for bucket, found in sorted(parts.items())}


def _statistic(aggregator: str, distribution: Distribution) -> float:
    if aggregator == "avg":
        return distribution.sum / distribution.count
    if aggregator in {"sum", "min", "max", "count"}:
        return float(getattr(distribution, aggregator))
    return percentile(distribution, float(aggregator.removeprefix("p")))


def _number_row(query: MetricQuery, plan: Plan, members: Sequence[SeriesData], span: Span) -> Row:
    aggregate = _AGGREGATE.get(query.aggregator)
    if aggregate is None:
        kind = members[0].type
        raise UnsupportedError(f"{query.aggregator}:{query.metric} is not evaluated: the metric is a {kind}")
    found: defaultdict[int, list[float]] = defaultdict(list)
    for series in members:
        for bucket, value in _rolled_up(query, plan, series, span).items():
            found[bucket].append(value)
    return {bucket: aggregate(values) for bucket, values in sorted(found.items())}


def _rolled_up(query: MetricQuery, plan: Plan, series: SeriesData, span: Span) -> Row:
    counted = series.type == "count" or plan.as_count or plan.as_rate
    own = query.aggregator if query.aggregator in {"min", "max"} else "avg"
    aggregate = _AGGREGATE[plan.rollup or ("sum" if counted else own)]
    parts: defaultdict[int, list[float]] = defaultdict(list)
    for second, value in series.points:
        assert not isinstance(value, Distribution)
        parts[second - second % span.step].append(value)
    rolled_up = ((bucket, finite(aggregate(values))) for bucket, values in sorted(parts.items()))
    row = {bucket: value for bucket, value in rolled_up if value is not None}
    fill = plan.fill if plan.fill != "default" else "null" if counted else "linear"
    return _filled(row, fill, plan.fill_limit_s, span)


def _filled(row: Row, fill: str, limit_s: int, span: Span) -> Row:
    """Fill the gaps between two points; nothing is made up before the first, after it by ``last`` only."""
    if fill not in {"linear", "last"} or not row:
        return row
    found = dict(row)
    known = sorted(row)
    for left, right in itertools.pairwise(known):
        if right - left > limit_s:
            continue
        for bucket in range(left + span.step, right, span.step):
            share = (bucket - left) / (right - left)
            found[bucket] = row[left] if fill == "last" else row[left] + share * (row[right] - row[left])
    if fill == "last":
        for bucket in range(known[-1] + span.step, min(span.end, known[-1] + limit_s + 1), span.step):
            found[bucket] = row[known[-1]]
    return found

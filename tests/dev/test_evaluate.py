"""Values of queries and windows: the documented examples, and properties that must hold of any series."""

from __future__ import annotations

import contextlib
import random

import pytest

from otel_kit.datadog.query import parse_monitor_query
from otel_kit.dev.evaluate.distributions import merged, percentile
from otel_kit.dev.evaluate.timeseries import query_series
from otel_kit.dev.evaluate.window import evaluate_window
from otel_kit.errors import InputError, OtelKitError, UnsupportedError
from tests.dev.memory import NOW, Memory, distribution


def values(query: str, series: Memory, end: int = NOW) -> dict[str, float | None]:
    """Value by group, of a monitor query without its comparison."""
    found = evaluate_window(parse_monitor_query(f"{query} > 0"), series, end)
    return {",".join(group) or "*": value.value for group, value in found.groups.items()}


def value(query: str, series: Memory) -> float | None:
    return values(query, series)["*"]


def test_the_time_aggregator_is_over_the_window_only() -> None:
    series = Memory().put("m", {-301: 1000, -300: 10, -240: 20, -180: 30, -120: 40, -60: 50, 0: 1000})
    assert value("max(last_5m):avg:m{*}.fill(null)", series) == 50
    assert value("min(last_5m):avg:m{*}.fill(null)", series) == 10
    assert value("sum(last_5m):avg:m{*}.fill(null)", series) == 150
    assert value("avg(last_5m):avg:m{*}.fill(null)", series) == 30


def test_as_count_aggregates_before_it_divides() -> None:
    """The documented example: 0.6 with as_count(), 3 point by point."""
    series = Memory().count("err", {-50: 1, -30: 1, -10: 1}).count("all", {-50: 2, -30: 2, -10: 1})
    assert value("sum(last_1m):sum:err{*}.as_count() / sum:all{*}.as_count()", series) == 3 / 5
    assert value("sum(last_1m):sum:err{*} / sum:all{*}", series) == 0.5 + 0.5 + 1


def test_points_without_a_quotient_are_skipped() -> None:
    """The documented example: 10/0 + 10/1 + 10/NaN is 10."""
    series = Memory().put("a", {-50: 10, -30: 10, -10: 10}).put("b", {-50: 0, -30: 1})
    assert value("sum(last_1m):avg:a{*} / avg:b{*}", series) == 10


def test_more_steps_than_a_graph_could_show_are_refused() -> None:
    year = 365 * 86_400
    series = Memory().put("m", {-1: 1})
    for query in ("sum:m{*}.rollup(sum, 1)", "default_zero(sum:m{*}.rollup(sum, 60))"):
        with pytest.raises(InputError, match="more than the 10000 of one series"):
            query_series(query, series, NOW - year, NOW)
    assert len(query_series("sum:m{*}.rollup(sum, 3600)", series, NOW - year, NOW)) == 1


def test_what_leaves_the_range_of_floats_has_no_value() -> None:
    series = Memory().put("m", {-50: 1e308, -30: 1e308, -10: 1e308}, "h:a").put("m", {-50: 1e308}, "h:b")
    series.count("c", {-50: 1e308, -30: 1e308})
    huge = distribution([1e308, 1e308])
    series.put("d", {-50: huge, -30: huge}, kind="distribution")
    assert value("sum(last_1m):max:m{*}", series) is None
    assert value("max(last_1m):sum:m{*}", series) == 1e308
    assert value("max(last_1m):sum:m{*} - sum:m{*} * 10", series) is None
    assert value("sum(last_1m):sum:c{*}.as_count()", series) is None
    assert value("max(last_1m):sum:d{*}", series) is None
    with pytest.raises(InputError, match="constants"):
        value("sum(last_1m):max:m{*} + 1e308 * 10", series)


def test_missing_counts_are_zero_and_nothing_divided_by_nothing_has_no_value() -> None:
    series = Memory().count("err", {-4000: 1}).count("all", {-20: 5}).count("old", {-4000: 1})
    assert value("sum(last_5m):sum:err{*}.as_count() / sum:all{*}.as_count()", series) == 0
    assert value("sum(last_5m):sum:err{*}.as_count() / sum:old{*}.as_count()", series) is None
    assert value("sum(last_5m):sum:old{*}", series) is None
    # A series of errors that never was is zero as well, next to one of requests.
    assert value("sum(last_5m):sum:never{*}.as_count() / sum:all{*}.as_count()", series) == 0
    assert values("sum(last_5m):sum:all{*} by {s}.as_count()", series) == {}


def test_a_count_that_was_never_sent_is_zero_beside_one_that_was() -> None:
    series = Memory().count("req", {-20: 5}, "s:a", "code:200").count("req", {-20: 5}, "s:b", "code:500")
    query = "sum(last_5m):sum:req{code:5*} by {s}.as_count() / sum:req{*} by {s}.as_count() * 100"
    assert values(query, series) == {"s:a": 0, "s:b": 100}
    assert value("sum(last_5m):sum:req{code:404}.as_count() / sum:req{*}.as_count()", series) == 0


def test_space_aggregation_of_several_series() -> None:
    series = (
        Memory().put("m", {-50: 1}, "h:a", "z:1").put("m", {-50: 3}, "h:b", "z:1").put("m", {-50: 8}, "h:c")
    )
    for aggregator, expected in {"avg": 4, "sum": 12, "min": 1, "max": 8, "count": 3}.items():
        assert value(f"avg(last_1m):{aggregator}:m{{*}}", series) == expected
    assert values("avg(last_1m):sum:m{*} by {z}", series) == {"z:1": 4}
    assert values("avg(last_1m):sum:m{!h:b} by {h}", series) == {"h:a": 1, "h:c": 8}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("*", {"a", "b", "c"}),
        ("env:prod", {"a", "b"}),
        ("!env:prod", {"c"}),
        ("env:p*", {"a", "b"}),
        ("code:*4", {"b"}),
        ("code:*", {"a", "b"}),
        ("env:prod,code:500", {"a"}),
        ("code:500 OR env:dev", {"a", "c"}),
        ("NOT (code:500 OR env:dev)", {"b"}),
        ("code IN (500,404)", {"a", "b"}),
        ("env:prod AND code NOT IN (500)", {"b"}),
        ("canary", {"c"}),
    ],
)
def test_filters_select_series(condition: str, expected: set[str]) -> None:
    series = Memory()
    series.put("m", {-30: 1}, "id:a", "env:prod", "code:500")
    series.put("m", {-30: 1}, "id:b", "env:prod", "code:404")
    series.put("m", {-30: 1}, "id:c", "env:dev", "canary")
    found = values(f"avg(last_1m):avg:m{{{condition}}} by {{id}}", series)
    assert set(found) == {f"id:{name}" for name in expected}


def test_distributions_are_merged_over_series_and_time() -> None:
    series = Memory().put("d", {-50: distribution([1, 2, 3])}, "h:a", kind="distribution")
    series.put("d", {-49: distribution([10])}, "h:b", kind="distribution")
    expected = {"avg": 4, "sum": 16, "min": 1, "max": 10, "count": 4}
    for aggregator, number in expected.items():
        assert value(f"avg(last_1m):{aggregator}:d{{*}}", series) == number
    assert value("sum(last_1m):count:d{*}.as_count()", series) == 4
    assert value("sum(last_5m):sum:d{h:b}.as_count()", series) == 10


def test_a_percentile_of_a_gauge_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="p95:m is not evaluated: the metric is a gauge"):
        value("avg(last_1m):p95:m{*}", Memory().put("m", {-30: 1}))


def test_percentiles_lie_within_the_bucket_of_the_true_value() -> None:
    source = random.Random(7)
    bounds = [0.005 * 2**i for i in range(14)]
    for _ in range(50):
        samples = sorted(source.lognormvariate(-2, 1.2) for _ in range(source.randint(1, 400)))
        parts = [samples[i::3] for i in range(3) if samples[i::3]]
        found = merged(distribution(part, bounds) for part in parts)
        assert found.count == len(samples)
        assert found.sum == pytest.approx(sum(samples))
        previous = found.min
        for percent in (1, 50, 75, 95, 99, 99.9):
            estimate = percentile(found, percent)
            assert found.min <= previous <= estimate <= found.max
            previous = estimate
            exact = samples[max(0, min(len(samples) - 1, int(len(samples) * percent / 100 + 0.999999) - 1))]
            low = max((b for b in bounds if b < exact), default=0)
            high = min((b for b in bounds if b >= exact), default=found.max)
            assert low <= estimate * (1 + 1e-9)
            assert estimate <= high * 2


def test_a_gauge_is_interpolated_over_short_gaps_only() -> None:
    series = Memory().put("m", {-300: 0, -100: 10})
    assert value("sum(last_5m):avg:m{*}", series) == pytest.approx(sum(range(11)))
    assert value("sum(last_5m):avg:m{*}.fill(null)", series) == 10
    assert value("sum(last_5m):avg:m{*}.fill(zero)", series) == 10
    assert value("sum(last_5m):avg:m{*}.fill(linear, 60)", series) == 10
    assert value("sum(last_5m):avg:m{*}.fill(last, 200)", series) == 10 * 5


def test_rollups_and_rates() -> None:
    series = Memory().count("c", {-110: 3, -100: 3, -50: 6}).put("g", {-110: 4, -100: 2, -50: 6})
    assert value("max(last_2m):sum:c{*}.as_count().rollup(sum, 60)", series) == 6
    assert value("max(last_2m):sum:c{*}.as_rate().rollup(sum, 60)", series) == 0.1
    assert value("max(last_2m):avg:g{*}.rollup(max, 60)", series) == 6
    assert value("min(last_2m):avg:g{*}.rollup(avg, 60)", series) == 3


def test_functions_of_one_value() -> None:
    series = Memory().put("m", {-50: -4, -30: 9}).count("c", {-4000: 1})
    assert value("sum(last_1m):abs(avg:m{*}.fill(null))", series) == 13
    assert value("sum(last_1m):clamp_max(avg:m{*}.fill(null), 5)", series) == 1
    assert value("sum(last_1m):cutoff_min(avg:m{*}.fill(null), 0)", series) == 9
    assert value("avg(last_1m):default_zero(avg:c{*})", series) == 0
    assert values("avg(last_1m):default_zero(avg:nothing{*})", series) == {}


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("avg(last_5m):anomalies(avg:m{*}, 'basic', 2)", "anomalies()"),
        ("avg(last_5m):avg:m{*}.weighted()", ".weighted()"),
        ("avg(last_5m):avg:m{$env}", "$env"),
        ("avg(last_5m):median:m{*}", "'median'"),
        ("change(avg(last_5m),1h_ago):avg:m{*}", "change()"),
        ("avg(current_1d):avg:m{*}", "current_1d"),
        ("avg(last_5m):avg:m{*} by {a} / avg:m{*} by {b}", "by {a} and by {b}"),
        ("avg(last_5m):avg:m{*}.rollup(avg, 60) + avg:m{*}.rollup(avg, 300)", "60 s and 300 s"),
        ("percentile(last_5m):avg:m{*}", "percentile"),
    ],
)
def test_what_is_not_evaluated_is_refused_by_name(query: str, name: str) -> None:
    for series in (Memory().put("m", {-30: 1}, "a:1", "b:1"), Memory()):
        with pytest.raises(UnsupportedError) as caught:
            values(query, series)
        assert name in str(caught.value)


def test_groups_are_joined_by_their_tags() -> None:
    series = Memory().put("a", {-30: 6}, "x:1", "y:1").put("a", {-30: 8}, "x:2", "y:1")
    series.put("b", {-30: 2}, "x:1", "y:1").put("b", {-30: 1}, "x:3", "y:1")
    assert values("avg(last_1m):avg:a{*} by {x,y} / avg:b{*} by {y,x}", series) == {
        "x:1,y:1": 3,
        "x:2,y:1": None,
        "x:3,y:1": None,
    }
    assert values("avg(last_1m):avg:a{*} by {x} - sum:b{*}", series) == {"x:1": 3, "x:2": 5}


@pytest.mark.parametrize("query", ["avg(last_5m):1", "avg(last_5m):avg:m{*} + 1 / 0", "avg(last_5m):abs()"])
def test_nonsense_is_an_error_and_not_a_value(query: str) -> None:
    with pytest.raises(InputError):
        values(query, Memory().put("m", {-30: 1}))


def test_as_count_equals_aggregate_then_divide_on_any_series() -> None:
    source = random.Random(11)
    for _ in range(200):
        series, errors, total = Memory(), {"a": 0, "b": 0}, {"a": 0, "b": 0}
        for group in ("a", "b"):
            for second in source.sample(range(-400, 0), source.randint(1, 30)):
                bad, good = source.randint(0, 3), source.randint(0, 9)
                series.count("req", {second: bad}, f"g:{group}", "code:500")
                series.count("req", {second: good}, f"g:{group}", "code:200")
                if second >= -300:
                    errors[group] += bad
                    total[group] += bad + good
        query = "sum(last_5m):sum:req{code:500} by {g}.as_count() / sum:req{*} by {g}.as_count()"
        expected = {f"g:{g}": errors[g] / total[g] if total[g] else None for g in total}
        assert values(query, series) == expected


def test_a_query_answers_series_whose_points_add_up() -> None:
    series = Memory().count("c", {-50: 1, -49: 2, -30: 4}, "h:a").count("c", {-10: 8}, "h:b")
    (one,) = query_series("sum:c{*}.as_count()", series, NOW - 60, NOW)
    assert one["pointlist"] == [[(NOW - 60) * 1000, 3.0], [(NOW - 40) * 1000, 4.0], [(NOW - 20) * 1000, 8.0]]
    assert (one["metric"], one["scope"], one["interval"], one["aggr"]) == ("c", "*", 20, "sum")
    two = query_series("sum:c{*} by {h}.as_count(), sum:c{*} by {zone}.as_count()", series, NOW - 60, NOW)
    assert [(s["scope"], s["tag_set"], s["query_index"]) for s in two] == [
        ("h:a", ["h:a"], 0),
        ("h:b", ["h:b"], 0),
        ("zone:n/a", ["zone:n/a"], 1),
    ]
    for length in (3600, 86_400, 7 * 86_400):
        (found,) = query_series("sum:c{*}.as_count()", series, NOW - length, NOW)
        assert sum(point[1] for point in found["pointlist"]) == 15


def test_random_text_never_crashes_the_evaluation() -> None:
    source = random.Random(3)
    pieces = [
        "avg:m{*}",
        "sum:m{a:1}.as_count()",
        " by {a}",
        "+",
        "/",
        "*",
        "(",
        ")",
        "1",
        "abs(",
        ",",
        "{",
        "}",
        "0",
    ]
    series = Memory().put("m", {-30: 1}, "a:1")
    evaluated = 0
    for _ in range(3000):
        text = "".join(source.choice(pieces) for _ in range(source.randint(1, 6)))
        with contextlib.suppress(OtelKitError):
            values(f"avg(last_5m):{text}", series)
            evaluated += 1
    assert evaluated > 100


def test_what_begins_later_is_not_there_yet() -> None:
    """A point of the second in which the window ends must not make a group appear without a value."""
    series = Memory().count("c", {0: 5}, "g:a")
    assert values("sum(last_5m):sum:c{*} by {g}.as_count()", series) == {}
    assert values("sum(last_5m):sum:c{*} by {g}.as_count()", series, NOW + 1) == {"g:a": 5}

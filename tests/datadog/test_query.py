"""The parser of metric and monitor queries: what it reads, and what its errors say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from otel_kit.datadog.query import (
    AllOf,
    AnyOf,
    Binary,
    Change,
    Function,
    MetricQuery,
    Modifier,
    Not,
    Number,
    QueryError,
    TagIn,
    TagIs,
    Text,
    Variable,
    Window,
    filter_terms,
    functions,
    metric_queries,
    parse_metric_queries,
    parse_metric_query,
    parse_monitor_query,
)
from otel_kit.errors import UnsupportedError
from tests.parts import ROOT

CORPUS = ROOT / "../shared/corpora/datadog/integrations-extras"


def test_a_monitor_query_is_read_in_full() -> None:
    found = parse_monitor_query(
        "avg(last_5m):p95:http.server.request.duration{env:prod} by {service,host} >= 0.25"
    )
    assert found.time_aggregator == "avg"
    assert found.window == Window(text="last_5m", kind="last", seconds=300)
    assert found.comparator == ">="
    assert found.threshold == 0.25
    assert found.expression == MetricQuery(
        aggregator="p95",
        metric="http.server.request.duration",
        filter=TagIs(key="env", value="prod"),
        by=("service", "host"),
    )


def test_arithmetic_binds_as_usual() -> None:
    found = parse_metric_query("sum:a{*}.as_count() / (sum:b{*} + 2) * -100")
    a = MetricQuery(aggregator="sum", metric="a", modifiers=(Modifier(name="as_count"),))
    b = MetricQuery(aggregator="sum", metric="b")
    ratio = Binary(op="/", left=a, right=Binary(op="+", left=b, right=Number(value=2)))
    assert found == Binary(op="*", left=ratio, right=Number(value=-100))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*", AllOf()),
        ("", AllOf()),
        (
            "env:prod,!host:a*",
            AllOf(items=(TagIs(key="env", value="prod"), Not(item=TagIs(key="host", value="a*")))),
        ),
        (
            "a:1 OR b:2 AND c:3",
            AnyOf(
                items=(
                    TagIs(key="a", value="1"),
                    AllOf(items=(TagIs(key="b", value="2"), TagIs(key="c", value="3"))),
                )
            ),
        ),
        ("NOT (a:1 OR b:2)", Not(item=AnyOf(items=(TagIs(key="a", value="1"), TagIs(key="b", value="2"))))),
        ("state IN (open, half_open)", TagIn(key="state", values=("open", "half_open"))),
        (
            "a:1 AND zone NOT IN (x,y)",
            AllOf(items=(TagIs(key="a", value="1"), Not(item=TagIn(key="zone", values=("x", "y"))))),
        ),
        (
            "$env,host:$host.value",
            AllOf(items=(Variable(name="env"), Variable(name="host", key="host", value_only=True))),
        ),
        ("Env:PROD", TagIs(key="env", value="prod")),
        ("order:1", TagIs(key="order", value="1")),
        ("prod", TagIs(key="prod", value="")),
    ],
)
def test_filters(text: str, expected: Any) -> None:
    found = parse_metric_query(f"avg:m{{{text}}}")
    assert isinstance(found, MetricQuery)
    assert found.filter == expected


def test_functions_and_modifiers_are_read_whatever_their_names() -> None:
    query_text = "sum:a{*} by {host}.as_count().rollup(sum, 300).fill(zero)"
    text = f"anomalies({query_text}, 'basic', 2, direction='above', interval=120)"
    found = parse_metric_query(text)
    assert isinstance(found, Function)
    assert (found.name, found.args[1:]) == ("anomalies", (Text(value="basic"), Number(value=2)))
    assert found.options == (("direction", "above"), ("interval", 120.0))
    (query,) = metric_queries(found)
    assert [(m.name, m.args) for m in query.modifiers] == [
        ("as_count", ()),
        ("rollup", ("sum", 300.0)),
        ("fill", ("zero",)),
    ]
    assert [f.name for f in functions(found)] == ["anomalies"]


def test_without_an_aggregator_it_is_avg() -> None:
    found = parse_metric_query("system.load.1{*}")
    assert isinstance(found, MetricQuery)
    assert (found.aggregator, found.metric) == ("avg", "system.load.1")


def test_change_windows_and_dynamic_thresholds() -> None:
    found = parse_monitor_query("pct_change(avg(last_1h),1d_ago):avg:a{*} > 20")
    assert found.change == Change(relative=True, shift="1d_ago")
    assert found.window_seconds == 3600
    assert parse_monitor_query("avg(last_1d):avg:a{*} > threshold").threshold is None
    assert parse_monitor_query("max(next_2w):avg:a{*} > 1").window == Window(
        text="next_2w", kind="next", seconds=1_209_600
    )


def test_several_queries_of_one_widget() -> None:
    assert len(parse_metric_queries("avg:a{*}, avg:b{*} by {host,zone}, avg:c{*}/avg:d{*}")) == 3


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        ("avg(last_5m):avg:a.b{*} by {host > 5", 34, "'}' to close the group-by opened at column 28"),
        ("avg(last_5m):(avg:a.b{*} > 5", 26, "')' to close the parenthesis opened at column 14"),
        ("avg(last_5m):avg:a.b{x:y > 5", 26, "'}' to close the filter opened at column 21"),
        ("avg(last_5m):avg:a.b{*}) > 5", 24, "an operator (+ - * /) or a comparator"),
        ("median(last_5m):avg:a{*} > 1", 1, "a time aggregator (avg, sum, min, max"),
        ("avg(5m):avg:a{*} > 1", 5, "a window such as last_5m"),
        ("avg(last_5m):avg:a > 1", 20, "a filter ({*} for everything) after the metric name"),
        ("avg(last_5m):avg:a{*} >", 24, "a number as the threshold, found the end of the query"),
        ("avg(last_5m):avg:a{*} > 5 5", 27, "the end, found '5'"),
        ("avg(last_5m):avg:a{x IN y} > 5", 25, "'(' after 'IN'"),
        ("avg(last_5m):avg:a{*}.rollup(sum > 5", 34, "')' to close the modifier at column 23"),
        ("", 1, "a time aggregator"),
    ],
)
def test_a_fault_names_its_column_and_what_was_expected(text: str, column: int, expected: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse_monitor_query(text)
    assert caught.value.column == column
    assert f"at column {column}: expected " in caught.value.what
    assert expected in caught.value.what


@pytest.mark.parametrize(
    "query", ["avg:a{*} > 1e999", "avg:a{*} * 1e999 > 1", "avg:a{*}.rollup(avg, 1e999) > 1"]
)
def test_a_number_beyond_all_numbers_is_refused(query: str) -> None:
    with pytest.raises(QueryError, match="1e999 is too large for a number"):
        parse_monitor_query(f"avg(last_5m):{query}")


def test_symbols_and_words_do_not_mix() -> None:
    with pytest.raises(QueryError, match="mixes '!' with 'AND'"):
        parse_metric_query("avg:a{env:prod AND !region:us}")
    with pytest.raises(QueryError, match="mixes ',' with 'IN'"):
        parse_metric_query("avg:a{env:prod,region IN (us)}")


def test_deep_nesting_is_refused_and_not_a_crash() -> None:
    with pytest.raises(QueryError, match="levels of nesting"):
        parse_metric_query("(" * 5000 + "1" + ")" * 5000)
    with pytest.raises(QueryError, match="levels of nesting"):
        parse_metric_query("avg:a{" + "!" * 5000 + "b}")
    with pytest.raises(QueryError, match="levels of nesting"):
        parse_metric_query("abs(" * 5000)


def test_a_formula_over_named_queries_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedError, match="formula"):
        parse_monitor_query('formula("query1").rollup("sum").last("5m") > 124')


@pytest.mark.skipif(
    not CORPUS.is_dir(),
    reason="needs published Datadog assets in ../shared/corpora, which are not part of this repository",
)
def test_the_queries_of_real_monitors_and_dashboards_parse() -> None:
    monitors = [m for m in _monitors() if m["type"] in {"query alert", "metric alert"}]
    assert len(monitors) == 40
    for monitor in monitors:
        found = parse_monitor_query(monitor["query"])
        critical = monitor["options"]["thresholds"]["critical"]
        assert found.threshold == float(critical)
        assert list(metric_queries(found.expression))
    queries = list(_widget_queries())
    assert len(queries) > 3000
    terms = [
        t
        for q in queries
        for e in parse_metric_queries(q)
        for m in metric_queries(e)
        for t in filter_terms(m.filter)
    ]
    assert sum(isinstance(term, Variable) for term in terms) > 1000


def _monitors() -> Iterator[Any]:
    for path in sorted(CORPUS.glob("*/monitors/*.json")):
        found = json.loads(path.read_text())
        yield found.get("definition", found)


def _widget_queries() -> Iterator[str]:
    for path in sorted(CORPUS.glob("*/dashboards/*.json")):
        pending = [json.loads(path.read_text())]
        while pending:
            value = pending.pop()
            if isinstance(value, dict):
                # Older widgets put searches for events under `q` as well; those have no braces.
                texts = [
                    value.get("q"),
                    value.get("query") if value.get("data_source") == "metrics" else None,
                ]
                yield from (text for text in texts if isinstance(text, str) and "{" in text)
                pending += value.values()
            elif isinstance(value, list):
                pending += value

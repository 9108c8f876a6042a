"""States and notifications of monitors over time: thresholds, recovery, delays, messages."""

from __future__ import annotations

from typing import Any

import pytest

from otel_kit.dev.evaluate.monitor import evaluate_monitor
from otel_kit.dev.evaluate.template import Situation, recipients, render
from otel_kit.errors import InputError, UnsupportedError
from tests.dev.memory import NOW, Memory, Watch, monitor


def gauge_states(query: str, values: list[float], **options: Any) -> list[str]:
    """The states of a monitor on the last minute of a gauge that has one of `values` each minute."""
    series = Memory()
    watch = Watch(monitor(query, **options), series)
    states: list[str] = []
    for minute, value in enumerate(values):
        series.put("m", {60 * minute + 30: value})
        states += watch.at(60 * minute + 60).values()
    return states


def test_warning_and_critical() -> None:
    query = "avg(last_1m):avg:m{*} > 10"
    options = {"thresholds": {"critical": 10, "warning": 5}}
    assert gauge_states(query, [1, 6, 11, 10, 5], **options) == ["OK", "Warn", "Alert", "Warn", "OK"]


@pytest.mark.parametrize(
    ("comparator", "values", "expected"),
    [
        (">", [11, 8, 7, 8], ["Alert", "Alert", "OK", "OK"]),
        (">=", [10, 7, 6.9, 8], ["Alert", "Alert", "OK", "OK"]),
        ("<", [9, 12, 13, 12], ["Alert", "Alert", "OK", "OK"]),
        ("<=", [10, 13, 13.1, 12], ["Alert", "Alert", "OK", "OK"]),
    ],
)
def test_recovery_thresholds(comparator: str, values: list[float], expected: list[str]) -> None:
    recovery = 7 if comparator[0] == ">" else 13
    options = {"thresholds": {"critical": 10, "critical_recovery": recovery}}
    assert gauge_states(f"avg(last_1m):avg:m{{*}} {comparator} 10", values, **options) == expected


def test_recovery_of_a_warning() -> None:
    options = {"thresholds": {"critical": 10, "warning": 5, "warning_recovery": 3}}
    query = "avg(last_1m):avg:m{*} > 10"
    assert gauge_states(query, [6, 4, 3, 4, 11, 4], **options) == [
        "Warn",
        "Warn",
        "OK",
        "OK",
        "Alert",
        "Warn",
    ]


def test_equal_and_not_equal() -> None:
    assert gauge_states("max(last_1m):avg:m{*} == 2", [1, 2, 3]) == ["OK", "Alert", "OK"]
    assert gauge_states("max(last_1m):avg:m{*} != 2", [1, 2, 3]) == ["Alert", "OK", "Alert"]


def test_each_change_is_told_once_and_to_whom() -> None:
    message = (
        "{{#is_alert}}{{service.name}} fails: {{value}} {{comparator}} {{threshold}} @team-shop{{/is_alert}}"
        "{{#is_warning}}near {{warn_threshold}}{{/is_warning}}"
        "{{#is_alert_recovery}}fine again{{/is_alert_recovery}}{{^is_alert}} @quiet@example.com.{{/is_alert}}"
    )
    series = Memory()
    query = "sum(last_1m):sum:err{*} by {service}.as_count() > 10"
    watch = Watch(monitor(query, message, thresholds={"critical": 10, "warning": 5}), series)
    for minute, count in enumerate([0, 12, 12, 6, 0]):
        series.count("err", {60 * minute + 30: count}, "service:shop")
        watch.at(60 * minute + 60)
    assert watch.changes() == [
        ("service:shop", "OK", "Alert"),
        ("service:shop", "Alert", "Warn"),
        ("service:shop", "Warn", "OK"),
    ]
    assert [n.message for n in watch.told] == [
        "shop fails: 12.0 > 10.0 @team-shop",
        "near 5.0 @quiet@example.com.",
        "@quiet@example.com.",
    ]
    assert [n.recipients for n in watch.told] == [
        ("@team-shop",),
        ("@quiet@example.com",),
        ("@quiet@example.com",),
    ]
    assert watch.groups["service:shop"].since_ms == (NOW + 300) * 1000


def test_a_new_group_that_is_bad_at_once_is_told_and_a_good_one_is_not() -> None:
    series = Memory().count("err", {30: 50}, "s:bad").count("err", {30: 1}, "s:good")
    watch = Watch(monitor("sum(last_1m):sum:err{*} by {s}.as_count() > 10"), series)
    assert watch.at(60) == {"s:bad": "Alert", "s:good": "OK"}
    assert watch.changes() == [("s:bad", "No Data", "Alert")]


def test_a_new_group_waits_for_its_delay() -> None:
    series = Memory().put("m", {0: 5}, "h:a")
    watch = Watch(monitor("avg(last_5m):avg:m{*} by {h} > 1", new_group_delay=120), series)
    assert watch.at(60) == {}
    assert watch.at(120) == {"h:a": "Alert"}
    hosts = Watch(
        monitor("avg(last_5m):avg:m{*} by {host} > 1", new_host_delay=300),
        Memory().put("m", {0: 5}, "host:a"),
    )
    assert hosts.at(60) == {}
    assert hosts.at(299) == {}
    assert hosts.at(300) == {"host:a": "Alert"}


def test_the_evaluation_delay_moves_the_window() -> None:
    series = Memory().put("m", {-900: 5, -30: 0})
    watch = Watch(monitor("max(last_5m):avg:m{*} > 1", evaluation_delay=900), series)
    assert watch.at(0) == {"*": "No Data"}
    assert watch.at(60) == {"*": "Alert"}
    assert watch.at(301) == {"*": "Alert"}


def test_a_full_window_is_waited_for() -> None:
    series = Memory().put("m", {0: 5, 60: 5, 280: 5})
    query = "avg(last_5m):avg:m{*} > 1"
    assert Watch(monitor(query, require_full_window=True), series).at(299) == {}
    assert Watch(monitor(query, require_full_window=True), series).at(300) == {"*": "Alert"}
    assert Watch(monitor(query), series).at(299) == {"*": "Alert"}


def test_an_alert_is_repeated() -> None:
    series = Memory().put("m", {0: 5})
    options = {
        "renotify_interval": 10,
        "renotify_occurrences": 2,
        "escalation_message": "still {{value}} @boss",
    }
    watch = Watch(monitor("max(last_1h):avg:m{*} > 1", "bad @team", **options), series)
    for minute in range(1, 55):
        watch.at(60 * minute)
    assert [n.message for n in watch.told] == [
        "bad @team",
        "still 5.0 @boss\n\nbad @team",
        "still 5.0 @boss\n\nbad @team",
    ]
    assert watch.told[1].recipients == ("@boss", "@team")


@pytest.mark.parametrize(
    ("definition", "name"),
    [
        ({**monitor("logs(1)"), "type": "log alert"}, "'log alert'"),
        (monitor("avg(last_5m):avg:m{*} > threshold"), "dynamic threshold"),
        (monitor('formula("q").last("5m") > 1'), "formula"),
        (
            monitor("avg(last_5m):avg:m{*} > 1", scheduling_options={"custom_schedule": {}}),
            "options.scheduling_options",
        ),
        (monitor("avg(last_5m):avg:m{*} > 1", notify_by=["*"]), "options.notify_by"),
        (monitor("avg(last_5m):avg:m{*} > 1", min_failure_duration=60), "options.min_failure_duration"),
        (monitor("avg(last_5m):avg:m{*} > 1", aggregation={"metric": "x"}), "options.aggregation"),
        (monitor("avg(last_5m):avg:m{*} > 1", '{{eval "1+1"}}'), "eval"),
        (monitor("avg(last_5m):avg:m{*} > 1", "{{#is_alert}}{{#each x}}{{/each}}{{/is_alert}}"), "{{#each}}"),
        (monitor("avg(last_5m):avg:m{*} > 1", "{{last_triggered_at}}"), "last_triggered_at"),
    ],
)
def test_what_is_not_evaluated_is_refused_by_name(definition: dict[str, Any], name: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        evaluate_monitor(definition, Memory(), NOW, {})
    assert name in str(caught.value)


def test_templates() -> None:
    now = Situation(
        conditions=frozenset({"is_alert"}), variables={"service.name": "shop", "http.route.name": "/a"}
    )
    assert render("{{#is_alert}}a{{^is_warning}}b{{/is_warning}}{{/is_alert}}c", now) == "abc"
    assert render("{{ [http.route].name }} {{unknown}}|{{! a comment }}", now) == "/a |"
    assert render('{{#is_match "service.name" "ho"}}yes{{/is_match}}', now) == "yes"
    assert render('{{^is_exact_match "service.name" "ho"}}no{{/is_exact_match}}', now) == "no"
    assert render('{{#is_match "missing" ""}}empty{{/is_match}}', now) == "empty"
    for broken in (
        "{{#is_alert}}",
        "{{/is_alert}}",
        "{{#is_alert}}{{#is_warning}}{{/is_alert}}{{/is_warning}}",
    ):
        with pytest.raises(InputError):
            render(broken, now)


def test_recipients() -> None:
    text = "@slack-shop-alerts, @pagerduty-Shop. (@a.b@example.com) x@y.z @team-x @team-x @ no"
    assert recipients(text) == ["@slack-shop-alerts", "@pagerduty-Shop", "@a.b@example.com", "@team-x"]

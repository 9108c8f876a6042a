"""States and notifications of monitors over time: thresholds, recovery, missing data, messages."""

from __future__ import annotations

from typing import Any

import pytest

from otel_kit.dev.evaluate.monitor import GroupState, evaluate_monitor
from otel_kit.dev.evaluate.notify import Notification
from otel_kit.dev.evaluate.template import Situation, recipients, render
from otel_kit.errors import InputError, UnsupportedError
from tests.dev.memory import NOW, Memory, monitor


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


def test_a_monitor_whose_metric_was_never_seen_has_no_data_and_says_nothing() -> None:
    for options in ({}, {"on_missing_data": "show_and_notify_no_data"}, {"notify_no_data": True}):
        watch = Watch(monitor("sum(last_5m):sum:never{*}.as_count() < 1", **options), Memory())
        assert watch.at(0) == {"*": "No Data"}
        assert watch.at(3600) == {"*": "No Data"}
        assert watch.told == []


@pytest.mark.parametrize(
    ("options", "states", "told"),
    [
        # Counts are zero by default when nothing comes, so a monitor on traffic fires.
        ({}, ["OK", "Alert", "Alert"], [("OK", "Alert")]),
        ({"on_missing_data": "default"}, ["OK", "Alert", "Alert"], [("OK", "Alert")]),
        ({"on_missing_data": "show_no_data"}, ["OK", "No Data", "No Data"], []),
        ({"on_missing_data": "show_and_notify_no_data"}, ["OK", "No Data", "No Data"], [("OK", "No Data")]),
        ({"on_missing_data": "resolve"}, ["OK", "OK", "OK"], []),
    ],
)
def test_a_count_that_stops(options: dict[str, Any], states: list[str], told: list[tuple[str, str]]) -> None:
    watch = Watch(
        monitor("sum(last_5m):sum:req{*}.as_count() < 1", **options), Memory().count("req", {30: 5})
    )
    assert [watch.at(second)["*"] for second in (60, 400, 800)] == states
    assert [(before, after) for _, before, after in watch.changes()] == told


@pytest.mark.parametrize(
    ("options", "states"),
    [
        ({}, ["Alert", "Alert", "Alert", "Alert"]),
        ({"on_missing_data": "show_no_data"}, ["Alert", "No Data", "No Data", "No Data"]),
        ({"on_missing_data": "resolve"}, ["Alert", "OK", "OK", "OK"]),
        # Twice the window unless said otherwise.
        ({"notify_no_data": True}, ["Alert", "Alert", "No Data", "No Data"]),
        ({"notify_no_data": True, "no_data_timeframe": 20}, ["Alert", "Alert", "Alert", "No Data"]),
        ({"timeout_h": 1}, ["Alert", "Alert", "Alert", "Alert"]),
    ],
)
def test_a_gauge_that_stops(options: dict[str, Any], states: list[str]) -> None:
    watch = Watch(monitor("avg(last_5m):avg:m{*} > 1", **options), Memory().put("m", {30: 5}))
    assert [watch.at(second)["*"] for second in (60, 400, 700, 1300)] == states


def test_a_timeout_resolves_what_has_stopped() -> None:
    watch = Watch(monitor("avg(last_5m):avg:m{*} > 1", timeout_h=1), Memory().put("m", {30: 5}))
    assert [watch.at(second)["*"] for second in (60, 3600, 3700)] == ["Alert", "Alert", "OK"]
    assert watch.changes()[-1] == ("*", "Alert", "OK")


def test_no_data_that_was_told_is_followed_by_a_recovery() -> None:
    series = Memory().put("m", {30: 0})
    message = "{{#is_no_data}}gone{{/is_no_data}}{{#is_no_data_recovery}}back{{/is_no_data_recovery}}"
    for missing, told in (("show_and_notify_no_data", ["gone", "back"]), ("show_no_data", [])):
        watch = Watch(monitor("avg(last_5m):avg:m{*} > 1", message, on_missing_data=missing), series)
        watch.at(60)
        watch.at(500)
        series.put("m", {900: 0})
        watch.at(920)
        assert [n.message for n in watch.told] == told


@pytest.mark.parametrize(
    ("missing", "told"),
    [
        ("show_no_data", [("OK", "Alert"), ("Alert", "OK"), ("OK", "Alert")]),
        (
            "show_and_notify_no_data",
            [("OK", "Alert"), ("Alert", "No Data"), ("No Data", "OK"), ("OK", "Alert")],
        ),
    ],
)
def test_an_alert_that_was_told_is_followed_by_its_recovery_over_a_gap(
    missing: str, told: list[tuple[str, str]]
) -> None:
    series = Memory().put("m", {-30: 0})
    message = "{{#is_alert_recovery}}fine again{{/is_alert_recovery}}"
    watch = Watch(monitor("avg(last_5m):avg:m{*} > 1", message, on_missing_data=missing), series)
    states = [watch.at(0)["*"]]
    for second, value in ((330, 5), (1230, 0), (1630, 5)):
        series.put("m", {second: value})
        states += [watch.at(second + 30)["*"], watch.at(second + 400 if second == 330 else second + 60)["*"]]
    assert states == ["OK", "Alert", "No Data", "OK", "OK", "Alert", "Alert"]
    assert [(before, after) for _, before, after in watch.changes()] == told
    assert ("fine again" in [n.message for n in watch.told]) == (missing == "show_no_data")


def test_a_silent_no_data_is_not_repeated_as_the_alert_before_it() -> None:
    series = Memory().put("m", {30: 5})
    options: dict[str, Any] = {"on_missing_data": "show_no_data", "renotify_interval": 10}
    watch = Watch(monitor("avg(last_5m):avg:m{*} > 1", **options), series)
    assert [watch.at(second)["*"] for second in (60, 400, 1200)] == ["Alert", "No Data", "No Data"]
    assert watch.changes() == [("*", "No Data", "Alert")]


@pytest.mark.parametrize(("duration", "hours"), [("60m", 1), ("1h", 1), ("3d", 72)])
def test_how_long_a_group_is_remembered_can_be_chosen(duration: str, hours: int) -> None:
    series = Memory().put("m", {0: 5}, "h:a")
    watch = Watch(monitor("avg(last_5m):avg:m{*} by {h} > 1", group_retention_duration=duration), series)
    assert watch.at(60) == {"h:a": "Alert"}
    assert watch.at(3600 * hours) == {"h:a": "Alert"}
    assert watch.at(3600 * hours + 1) == {}


@pytest.mark.parametrize("duration", ["59m", "73h", "4d", "1w", "", 3600])
def test_a_wrong_duration_of_groups_is_refused(duration: Any) -> None:
    definition = monitor("avg(last_5m):avg:m{*} by {h} > 1", group_retention_duration=duration)
    with pytest.raises(InputError, match="group_retention_duration"):
        evaluate_monitor(definition, Memory(), NOW, {})


def test_a_group_is_forgotten_a_day_after_its_last_point() -> None:
    watch = Watch(monitor("avg(last_5m):avg:m{*} by {h} > 1"), Memory().put("m", {0: 5}, "h:a"))
    assert watch.at(60) == {"h:a": "Alert"}
    assert watch.at(86_399) == {"h:a": "Alert"}
    assert watch.at(86_500) == {}


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

"""Monitors whose data stops: what they show, what they tell, and when a group is forgotten."""

from __future__ import annotations

from typing import Any

import pytest

from otel_kit.dev.evaluate.monitor import evaluate_monitor
from otel_kit.errors import InputError
from tests.dev.memory import NOW, Memory, Watch, monitor


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

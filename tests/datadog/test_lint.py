from __future__ import annotations

import json
from typing import Any

import pytest

from otel_kit.datadog.lint import RULES, lint
from otel_kit.datadog.model import Definition, Json, Kind
from otel_kit.yaml_tree import parse_yaml
from tests.datadog.conftest import Workspace
from tests.datadog.samples import DASHBOARD, MONITOR, corpus, definition, shipped

QUERY = "avg(last_5m):avg:a{*} by {env} > 5"
LOGS = 'logs("status:error").index("*").rollup("count").by("service").last("5m") > 5'


def found(kind: Kind, body: Json) -> list[tuple[str, str]]:
    source = parse_yaml(json.dumps(body, indent=1), "x.yaml")
    return [(f.rule, f.text) for f in lint([Definition(kind=kind, id="x", body=body, source=source)])]


def monitor(**keys: Any) -> Json:
    return {"name": "n", "type": "query alert", "query": QUERY, **keys}


def thresholds(query: str = QUERY, **values: float) -> Json:
    return monitor(query=query, options={"thresholds": values})


BELOW = QUERY.replace(">", "<")


@pytest.mark.parametrize(
    ("body", "rule", "sentence"),
    [
        (monitor(type="query alrt"), "monitor-type", "did you mean 'query alert'?"),
        (monitor(query="avg(last_5m):avg:a{* > 5"), "query-syntax", "column"),
        (monitor(query="avg(last_5m:avg:a{*} > 5"), "query-syntax", "')'"),
        (monitor(type="log alert", query=LOGS.replace('").rollup', ".rollup")), "query-syntax", "quote"),
        (monitor(type="log alert", query=LOGS.replace('"5m")', '"5m"')), "query-syntax", "'(' at column 67"),
        (thresholds(critical=6), "query-threshold", "the query compares with 5"),
        (thresholds(critical=5, warning=5), "threshold-order", "'warning' must be below 'critical'"),
        (thresholds(BELOW, critical=5, warning=4), "threshold-order", "'warning' must be above"),
        (thresholds(critical=5, critical_recovery=6), "threshold-order", "'critical_recovery' must be below"),
        (thresholds(BELOW, critical=5, critical_recovery=4), "threshold-order", "must be above 'critical'"),
        (thresholds(critical=5, warning_recovery=1), "recovery-alone", "'warning_recovery' needs 'warning'"),
        (monitor(options={"on_missing_data": "resolved"}), "no-data", "did you mean 'resolve'?"),
        (monitor(options={"on_missing_data": "default", "notify_no_data": True}), "no-data", "exclude"),
        (monitor(options={"on_missing_data": "resolve", "timeout_h": 2}), "no-data", "must be 0"),
        (monitor(options={"new_group_delay": 0, "new_host_delay": 300}), "group-delay", "exclude each other"),
        (monitor(options={"renotify_statuses": ["alert"]}), "renotify", "needs 'renotify_interval'"),
        (monitor(message="{{#is_alert}}x"), "message-blocks", "{{#is_alert}} is not closed"),
        (monitor(message="{{#is_alert}}x{{/is_warning}}"), "message-blocks", "closes nothing inside"),
        (monitor(message="x{{/is_alert}}"), "message-blocks", "{{/is_alert}} closes nothing"),
        (monitor(message="on {{host.name}}"), "message-variable", "but the query groups by env"),
        (
            monitor(message='{{#is_match "pod.name" "x"}}y{{/is_match}}'),
            "message-variable",
            "{{pod.name}}",
        ),
        (monitor(type="log alert", query=LOGS, message="{{env.name}}"), "message-variable", "by service"),
    ],
)
def test_a_rule_finds_its_fault_and_nothing_else(body: Json, rule: str, sentence: str) -> None:
    ((told_rule, text),) = found("monitor", body)
    assert told_rule == rule
    assert sentence in text
    assert text.endswith(f"[{rule}]")


@pytest.mark.parametrize(
    "body",
    [
        MONITOR,
        thresholds(critical=5, critical_recovery=5, warning=4, warning_recovery=4),
        thresholds(BELOW, critical=5, critical_recovery=6, warning=7, warning_recovery=8),
        thresholds("avg(last_5m):avg:a{*} by {env} == 5", critical=5, warning=9),
        monitor(message="{{#is_alert}}{{^is_match 'env.name' 'x'}}{{env.name}}{{/is_match}}{{/is_alert}}"),
        monitor(query="avg(last_5m):avg:a{*} by {http.route} > 5", message="{{[http.route].name}}"),
        monitor(type="log alert", query=LOGS, message="{{service.name}} {{log.message}}"),
        monitor(type="composite", query="( 12 && !34 ) || 56", message="{{a.name}}"),
    ],
)
def test_what_is_right_is_left_alone(body: Json) -> None:
    assert found("monitor", body) == []


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (
            {"widgets": [{"definition": {"type": "timeseries", "requests": [{"q": "avg:a{b"}]}}]},
            "widget-query",
        ),
        ({"template_variables": []}, "template-variable"),
        ({"tags": ["env:prod"]}, "dashboard-tags"),
        ({"layout_type": "free", "widgets": [{"definition": {"type": "note"}}]}, "free-layout"),
    ],
)
def test_rules_of_dashboards(change: Json, rule: str) -> None:
    assert found("dashboard", DASHBOARD) == []
    assert {r for r, _ in found("dashboard", {**DASHBOARD, **change})} == {rule}


def test_a_repeated_monitor_is_wrong_once_and_in_its_place(workspace: Workspace) -> None:
    workspace.write(
        {
            "monitors/a.yaml": """
                monitors:
                  x:
                    for_each: {kind: http}
                    name: x
                    type: query alert
                    query: "avg(last_5m):avg:a{*} > 5"
                    options:
                      thresholds:
                        critical: 6
            """
        }
    )
    (finding,) = lint(workspace.load().definitions)
    assert workspace.relative(finding.where) == "monitors/a.yaml:10"


def test_what_we_ship_has_no_finding() -> None:
    assert lint(shipped()) == []


def test_real_monitors_and_dashboards_have_only_true_findings() -> None:
    """Each finding in the public corpora was looked at and is right."""
    kinds: tuple[Kind, ...] = ("monitor", "dashboard")
    told = [
        (name, finding.rule)
        for kind in kinds
        for name, body in corpus(kind)
        for finding in lint([definition(kind, body)])
    ]
    if any(True for _ in corpus("monitor")):
        assert told == [
            ("external_secrets/external_secrets_overview.json", "dashboard-tags"),
            ("ocient/ocient_overview.json", "template-variable"),
        ]


def test_every_rule_says_what_it_is_about() -> None:
    assert len(RULES) == 14
    assert all(about.endswith(".") for about in RULES.values())

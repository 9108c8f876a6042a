"""A value of the wrong type is told with its place."""

from __future__ import annotations

import pytest

from otel_kit.errors import OtelKitError
from tests.datadog.conftest import Workspace
from tests.datadog.test_load import DASHBOARD, ONE

OPTION = ONE + "        options:\n          "
WIDGET = DASHBOARD.rstrip("[]\n") + "\n- definition:\n    "


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("timeout_h: x", ":8: the option 'timeout_h' must be a whole number, 0 or more, not \"x\""),
        (
            "evaluation_delay: [1]",
            ":8: the option 'evaluation_delay' must be a whole number, 0 or more, not a list",
        ),
        (
            "no_data_timeframe: -1",
            ":8: the option 'no_data_timeframe' must be a whole number, 0 or more, not -1",
        ),
        ("renotify_interval: true", ":8: the option 'renotify_interval' must be a whole number, 0 or more"),
        ("escalation_message: 5", ":8: the option 'escalation_message' must be a string, not 5"),
        ("notify_audit: 1", ":8: the option 'notify_audit' must be true or false, not 1"),
        ("notify_by: [1]", ":8: the option 'notify_by' must be a list of strings, not a list"),
        ("scheduling_options: [1]", ":8: the option 'scheduling_options' must be a mapping, not a list"),
        ("variables: 5", ":8: the option 'variables' must be a list, not 5"),
        ("on_missing_data: []", ":8: the option 'on_missing_data' must be a string, not a list"),
        ("thresholds: {critical: [1]}", ":8: the threshold 'critical' must be a number, not a list"),
        ("thresholds: {critical_query: 5}", ":8: the threshold 'critical_query' must be a string, not 5"),
    ],
)
def test_an_option_has_its_type(workspace: Workspace, text: str, sentence: str) -> None:
    filled = OPTION.replace("> 5", "> ${thresholds.critical}") if "critical:" in text else OPTION
    workspace.write({"monitors/a.yaml": f"{filled}{text}"})
    with pytest.raises(OtelKitError) as caught:
        workspace.load()
    assert workspace.relative(str(caught.value)).startswith(f"monitors/a.yaml{sentence}")


def test_options_may_be_null_and_need_no_threshold(workspace: Workspace) -> None:
    workspace.write({"monitors/a.yaml": f"{OPTION}new_group_delay: 60\n          evaluation_delay:\n"})
    (found,) = workspace.load().definitions
    assert found.body["options"] == {"new_group_delay": 60, "evaluation_delay": None}


@pytest.mark.parametrize(
    ("file", "text", "sentence"),
    [
        ("monitors/a.yaml", ONE + "        priority: true", ":7: priority must be 1 to 5, not true"),
        (
            "monitors/a.yaml",
            ONE + "        restricted_roles: [5]",
            ":7: an item of 'restricted_roles' must be",
        ),
        (
            "monitors/a.yaml",
            ONE.replace("> 5", "> ${thresholds.critical}") + "        options: {thresholds: {critical: }}",
            ":6: unknown placeholder '${thresholds.critical}'",
        ),
        (
            "monitors/a.yaml",
            ONE + "        for_each: {tier: '1'}",
            ':7: the tier of a service is a number, never "1"; this would match nothing',
        ),
        ("monitors/a.yaml", ONE + "        for_each: {owner: [5]}", ":7: the owner of a service is a string"),
        (
            "monitors/a.yaml",
            ONE + "        for_each: {slo: {a: 1}}",
            ":7: the slo of a service is a number, never a",
        ),
        (
            "dashboards/a.yaml",
            DASHBOARD + "notify_list: [[1]]",
            ":5: an item of 'notify_list' must be a string",
        ),
        ("dashboards/a.yaml", DASHBOARD + "tags: [5]", ":5: an item of 'tags' must be a string, not 5"),
        (
            "dashboards/a.yaml",
            DASHBOARD + "restricted_roles: {a: 1}",
            ":5: 'restricted_roles' must be a list",
        ),
        ("dashboards/a.yaml", DASHBOARD + "description: [1]", ":5: 'description' must be a string"),
        (
            "dashboards/a.yaml",
            DASHBOARD + "default_timeframe: 5",
            ":5: 'default_timeframe' must be a mapping",
        ),
        (
            "dashboards/a.yaml",
            DASHBOARD + "template_variables: [1]",
            ":5: an item of 'template_variables' must",
        ),
        (
            "dashboards/a.yaml",
            DASHBOARD + "template_variables: [{name: 5}]",
            ":5: 'name' must be a non-empty",
        ),
        (
            "dashboards/a.yaml",
            WIDGET + "type: note\n    title: [1]",
            ":7: 'title' must be a string, not a list",
        ),
        (
            "dashboards/a.yaml",
            WIDGET + "type: note\n  id: [1]",
            ":7: the id of a widget must be a number or a string, not a list",
        ),
        (
            "dashboards/a.yaml",
            WIDGET + "type: timeseriez",
            ":6: unknown widget type 'timeseriez'; did you mean 'timeseries'?",
        ),
    ],
)
def test_a_value_has_its_type(workspace: Workspace, file: str, text: str, sentence: str) -> None:
    workspace.write({file: text})
    with pytest.raises(OtelKitError) as caught:
        workspace.load()
    assert workspace.relative(str(caught.value)).startswith(f"{file}{sentence}")


def test_a_widget_type_that_we_do_not_know_yet_is_taken(workspace: Workspace) -> None:
    workspace.write({"dashboards/a.yaml": WIDGET + "type: hologram"})
    assert workspace.load().definitions[0].body["widgets"] == [{"definition": {"type": "hologram"}}]

"""Files to definitions: defaults, for_each, placeholders, and each fault with its place."""

from __future__ import annotations

import pytest

from otel_kit.datadog.load import load_definitions
from otel_kit.errors import OtelKitError
from tests.datadog.conftest import Workspace

ONE = """
    monitors:
      errors:
        name: Errors
        type: query alert
        query: "sum(last_5m):sum:errors{*}.as_count() > 5"
"""


def test_a_monitor_is_datadogs_own_json(workspace: Workspace) -> None:
    workspace.write({"monitors/a.yaml": ONE})
    (found,) = workspace.load().definitions
    assert (found.kind, found.id, found.name) == ("monitor", "errors", "Errors")
    assert found.body == {
        "name": "Errors",
        "type": "query alert",
        "query": "sum(last_5m):sum:errors{*}.as_count() > 5",
    }
    assert workspace.relative(found.where("query")) == "monitors/a.yaml:6"


def test_defaults_are_merged_and_tags_added_up(workspace: Workspace) -> None:
    workspace.write(
        {
            "monitors/a.yaml": """
                defaults:
                  type: query alert
                  tags: [all]
                  options: {thresholds: {warning: 1}, notify_audit: false}
                monitors:
                  x:
                    name: X
                    query: a > ${thresholds.critical}
                    tags: [own]
                    options: {thresholds: {critical: 2.50}}
            """
        }
    )
    (found,) = workspace.load().definitions
    assert found.body["tags"] == ["all", "own"]
    assert found.body["options"] == {"thresholds": {"warning": 1, "critical": 2.5}, "notify_audit": False}
    assert found.body["query"] == "a > 2.5"
    assert workspace.relative(found.where("options", "notify_audit")) == "monitors/a.yaml:5"


def test_for_each_repeats_over_the_services_that_match(workspace: Workspace) -> None:
    workspace.write(
        {
            "monitors/a.yaml": """
                defaults: {type: query alert}
                monitors:
                  errors:
                    for_each: {kind: http}
                    name: "${service.name} of ${service.owner}: $${literal} {{value}}"
                    query: a > 1
                    priority: ${service.tier}
                  "${service.name}-late":
                    for_each: {kind: [grpc, http], owner: team-b}
                    name: x
                    query: a > ${service.slo}
            """
        }
    )
    found = workspace.load().definitions
    assert [d.id for d in found] == ["errors-web", "errors-api", "api-late", "stock-late"]
    assert found[0].body["name"] == "web of team-a: ${literal} {{value}}"
    assert [d.body.get("priority") for d in found] == [1, 3, None, None]
    assert [d.body["query"] for d in found[2:]] == ["a > 99", "a > 99.9"]
    assert "for_each" not in found[0].body


def test_a_small_threshold_is_written_without_an_exponent(workspace: Workspace) -> None:
    text = (
        ONE.replace("> 5", "> ${thresholds.critical}") + "        options: {thresholds: {critical: 1e-5}}\n"
    )
    workspace.write({"monitors/a.yaml": text})
    assert workspace.load().definitions[0].body["query"].endswith("> 0.00001")


def test_for_each_without_a_match_is_noted(workspace: Workspace) -> None:
    workspace.write({"monitors/a.yaml": ONE + "        for_each: {kind: cronjob}\n"})
    loaded = workspace.load()
    assert loaded.definitions == ()
    assert [workspace.relative(n) for n in loaded.notes] == [
        "monitors/a.yaml:7: for_each of 'errors' matches no service"
    ]


def test_a_dashboard_repeats_widgets(workspace: Workspace) -> None:
    workspace.write(
        {
            "dashboards/shop.yaml": """
                id: shop
                title: Shop
                layout_type: ordered
                widgets:
                  - definition: {type: note, content: "costs $env"}
                  - for_each: {kind: http}
                    definition: {type: note, content: "${service.name}"}
            """
        }
    )
    (found,) = workspace.load().definitions
    assert (found.kind, found.id) == ("dashboard", "shop")
    assert [w["definition"]["content"] for w in found.body["widgets"]] == ["costs $env", "web", "api"]
    assert "id" not in found.body
    assert workspace.relative(found.where("widgets", 2, "definition")) == "dashboards/shop.yaml:8"


def test_other_files_and_folders_are_left_alone(workspace: Workspace) -> None:
    (workspace.root / "monitors" / "tests").mkdir()
    workspace.write(
        {"monitors/a.yml": ONE, "monitors/README.md": "text", "monitors/tests/x.yaml": "other: 1"}
    )
    assert [d.id for d in workspace.load().definitions] == ["errors"]


DASHBOARD = "id: shop\ntitle: Shop\nlayout_type: ordered\nwidgets: []\n"


@pytest.mark.parametrize(
    ("file", "text", "sentence"),
    [
        ("monitors/a.yaml", "", ":1: a monitors file must be a mapping, not nothing"),
        ("monitors/a.yaml", "monitor: {}", ":1: unknown key 'monitor' in a monitors file; did you mean"),
        ("monitors/a.yaml", "defaults: {}", ": has no 'monitors:'"),
        ("monitors/a.yaml", "monitors: [x]", ":1: 'monitors' must be a mapping, not a list"),
        (
            "monitors/a.yaml",
            "monitors:\n  x: {querry: a}",
            ":2: unknown key 'querry' in the monitor 'x'; did you mean 'query'?",
        ),
        (
            "monitors/a.yaml",
            "monitors:\n  x:\n    id: 5",
            ":3: 'id' in the monitor 'x' is written by Datadog",
        ),
        ("monitors/a.yaml", "monitors:\n  x:\n    name: n", ":2: the monitor 'x' has no 'type'"),
        ("monitors/a.yaml", ONE.replace("errors:", "Errors:"), ":3: 'Errors' is not an id"),
        ("monitors/a.yaml", ONE + "        priority: 9", ":7: priority must be 1 to 5, not 9"),
        (
            "monitors/a.yaml",
            ONE + "        tags: [a, 5]",
            ":7: an item of 'tags' must be a string, not 5; quote it",
        ),
        ("monitors/a.yaml", ONE + "        tags: ['otel_kit:x']", ":7: the tag 'otel_kit:x' is our own mark"),
        ("monitors/a.yaml", ONE + "        options: {silenced: {}}", ":7: 'silenced' is not kept in files"),
        (
            "monitors/a.yaml",
            ONE + "        options: {renotify_intervall: 5}",
            ":7: unknown key 'renotify_intervall' in 'options'; did you",
        ),
        (
            "monitors/a.yaml",
            ONE + "        options: {thresholds: {critical: high}}",
            ":7: the threshold 'critical' must be a number",
        ),
        (
            "monitors/a.yaml",
            ONE + "        message: a ${service.name}",
            ":7: unknown placeholder '${service.name}'; only a definition with 'for_each:'",
        ),
        (
            "monitors/a.yaml",
            ONE + "        message: a ${threshold.critical}\n        options: {thresholds: {critical: 5}}",
            ":7: unknown placeholder '${threshold.critical}'; did you mean 'thresholds.critical'?",
        ),
        (
            "monitors/a.yaml",
            ONE + "        message: a ${open",
            ":7: '${' opens a placeholder that is not closed",
        ),
        (
            "monitors/a.yaml",
            ONE + "        for_each: {kind: htp}",
            ":7: unknown kind of service 'htp'; did you mean 'http'?",
        ),
        ("monitors/a.yaml", ONE + "        for_each: {team: a}", ":7: unknown key 'team' in 'for_each'"),
        ("monitors/a.yaml", ONE + "        assets: []", ":7: 'assets' are not managed yet"),
        ("services.yaml", "services:\n  - {name: x}", ":2: the service 'x' has no 'kind'"),
        (
            "services.yaml",
            "services:\n  - {name: x, kind: http, owner: a, tier: 4, slo: 99}",
            ":2: the tier of the service 'x' must be 1, 2 or 3, not 4",
        ),
        (
            "services.yaml",
            "services:\n  - {name: x, kind: http, owner: a, tier: 1, slo: 100}",
            ":2: the slo of the service 'x' must be a percentage below 100",
        ),
        (
            "services.yaml",
            "services:\n  - {name: X, kind: http, owner: a, tier: 1, slo: 9}",
            ":2: 'X' is not a service name",
        ),
        (
            "services.yaml",
            "services:\n" + "- {name: x, kind: http, owner: a, tier: 1, slo: 9}\n" * 2,
            ":3: the service 'x' is already listed at services.yaml:2",
        ),
        ("services.yaml", "service: []", ":1: unknown key 'service' in the file; did you mean 'services'?"),
        ("dashboards/a.yaml", DASHBOARD.replace("widgets: []", ""), ": the dashboard has no 'widgets'"),
        ("monitors/a.yaml", ONE + "        message:", ":7: 'message' must be a string, not nothing"),
        ("dashboards/a.yaml", DASHBOARD + "tags: team:a", ":5: 'tags' must be a list, not a string"),
        (
            "dashboards/a.yaml",
            DASHBOARD.replace("ordered", "orderd"),
            ":3: unknown layout_type 'orderd'; did you mean 'ordered'?",
        ),
        ("dashboards/a.yaml", DASHBOARD + "url: x", ":5: 'url' is written by Datadog"),
        ("dashboards/a.yaml", DASHBOARD + "tabs: []", ":5: tabs are not managed yet"),
        ("dashboards/a.yaml", DASHBOARD + "widget: []", ":5: unknown key 'widget' in the dashboard"),
        (
            "dashboards/a.yaml",
            DASHBOARD.replace("[]", "\n- definitions: {}"),
            ":5: unknown key 'definitions' in a widget",
        ),
        (
            "dashboards/a.yaml",
            DASHBOARD.replace("[]", "\n- definition: {title: x}"),
            ":5: a widget has no 'type'",
        ),
        ("dashboards/a.yaml", DASHBOARD.replace("id: shop", "id: abc DEF"), ":1: 'abc DEF' is not an id"),
    ],
)
def test_a_fault_is_one_sentence_with_its_place(
    workspace: Workspace, file: str, text: str, sentence: str
) -> None:
    workspace.write({file: text})
    with pytest.raises(OtelKitError) as caught:
        workspace.load()
    told = workspace.relative(str(caught.value))
    assert told.startswith(f"{file}{sentence}")
    assert "\n" not in told


def test_what_is_no_file_is_told(workspace: Workspace) -> None:
    entry = workspace.root / "monitors" / "a.yaml"
    entry.symlink_to("gone.yaml")
    with pytest.raises(OtelKitError, match=r"a\.yaml: is a link to nothing; remove or rename it"):
        workspace.load()
    entry.unlink()
    entry.mkdir()
    with pytest.raises(OtelKitError, match=r"a\.yaml: is not a file"):
        workspace.load()


def test_ids_that_two_files_use_are_told_with_both_places(workspace: Workspace) -> None:
    workspace.write({"monitors/a.yaml": ONE, "monitors/b.yaml": ONE})
    with pytest.raises(OtelKitError) as caught:
        workspace.load()
    told = workspace.relative(str(caught.value))
    assert told.startswith("monitors/b.yaml:3: the monitor id 'errors' is already used at monitors/a.yaml:3")


def test_missing_folders_and_services_are_told(workspace: Workspace) -> None:
    root = workspace.root
    with pytest.raises(OtelKitError, match="cannot be read: No such file or directory; name the folder with"):
        load_definitions(monitors=root / "gone", dashboards=root / "dashboards")
    (root / "services.yaml").unlink()
    assert workspace.load().definitions == ()
    workspace.write({"monitors/a.yaml": ONE + "        for_each: {kind: http}\n"})
    with pytest.raises(OtelKitError, match=r"a\.yaml:7: 'for_each' needs a services\.yaml"):
        workspace.load()
    with pytest.raises(OtelKitError, match=r"other\.yaml: cannot be read"):
        load_definitions(
            monitors=root / "monitors", dashboards=root / "dashboards", services=root / "other.yaml"
        )

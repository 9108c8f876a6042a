"""A value of any kind at any key of a spec: it works, or it is refused in one sentence. Never a traceback."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from otel_kit.collector.kubernetes import manifests
from otel_kit.collector.load import load_spec
from otel_kit.collector.passes import build
from otel_kit.collector.spec import Spec
from otel_kit.collector.tiers import roles
from otel_kit.errors import OtelKitError
from tests.parts import ROOT

VALUES: list[Any] = [None, True, -1, "x", "", [], ["x"], [None], {"a": 1}, [{}]]
EXTRA = {
    "component": "otlp_http/backup",
    "tier": "gateway",
    "signals": ["logs"],
    "config": {
        "endpoint": "https://backup.example:8443",
        "headers": {"api-key": "${env:BACKUP_KEY}"},
        "sending_queue": {"storage": "file_storage"},
        "retry_on_failure": {"enabled": True},
    },
}
DETECTION = {
    "component": "resource_detection/more",
    "tier": "node",
    "signals": ["logs"],
    "config": {"detectors": ["gcp"]},
}
KAFKA = {
    "component": "kafka",
    "tier": "gateway",
    "signals": ["logs"],
    "config": {"brokers": ["kafka:9093"]},
}


def whole() -> dict[str, Any]:
    """The spec of production as one file, with components of its own."""
    common, prod = (
        yaml.safe_load((ROOT / "collector" / f"{n}.yaml").read_text()) for n in ("common", "prod")
    )
    del prod["extends"]
    return {
        **common,
        **prod,
        "environment": "x",
        "extra": [EXTRA, DETECTION, KAFKA],
        "redact": {"keys": ["token"], "values": ["jwt"], "sql": True},
    }


WHOLE = whole()


def manifests_of(spec: Spec) -> None:
    """All that `generate` does but for writing YAML, which is slow."""
    configs = {role.tier: build(spec, role) for role in roles(spec)}
    if spec.kubernetes:
        manifests(spec, configs, dict.fromkeys(configs, ""))


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(value, (dict, list)):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from paths(value[key], (*path, key))


def with_each(path: tuple[Any, ...]) -> Iterator[dict[str, Any]]:
    for value in VALUES:
        spec = copy.deepcopy(WHOLE)
        at = spec
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = value
        yield spec


def refusal(spec: dict[str, Any], folder: Path) -> OtelKitError | None:
    (folder / "x.yaml").write_text(json.dumps(spec))
    try:
        manifests_of(load_spec(folder, "x"))
    except OtelKitError as error:
        return error
    return None


@pytest.mark.parametrize("section", sorted(WHOLE))
def test_no_value_at_any_key_gives_a_traceback(section: str, tmp_path: Path) -> None:
    here = [path for path in paths(WHOLE) if path[0] == section]
    wrong = [refusal(spec, tmp_path) for path in here for spec in with_each(path)]
    said = [error for error in wrong if error is not None]
    assert said
    assert all(error.where and "\n" not in str(error) for error in said)

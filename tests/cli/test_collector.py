"""`otel-kit collector`: what it writes, where, and one sentence for all that can be wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.parts import ROOT


def otel_kit(*args: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "otel_kit.cli", "collector", *(str(a) for a in args)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def spec(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "test.yaml").write_text(
        f"extends: {ROOT / 'collector' / 'local.yaml'}\nenvironment: test\n{text}"
    )
    return folder


def test_render_writes_configs_and_manifests(tmp_path: Path) -> None:
    done = otel_kit("render", "--env", "staging", "--out", tmp_path)
    assert (done.returncode, "7 files in" in done.stderr) == (0, True), done.stderr
    assert sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.glob("*/*")) == [
        "config/cluster.yaml",
        "config/gateway.yaml",
        "config/node.yaml",
        "manifests/00-namespace.yaml",
        "manifests/cluster.yaml",
        "manifests/gateway.yaml",
        "manifests/node.yaml",
    ]
    again = otel_kit("render", "--env", "staging", "--out", tmp_path)
    assert (again.stdout, "0 changed" in again.stderr) == ("", True)


def test_render_says_what_it_removes(tmp_path: Path) -> None:
    folder = spec(tmp_path / "specs", "kubernetes: {cluster: c}\ncollector: {distribution: kit}\n")
    otel_kit("render", "--env", "test", "--spec-dir", folder, "--out", tmp_path / "out")
    spec(folder, "")
    done = otel_kit("render", "--env", "test", "--spec-dir", folder, "--out", tmp_path / "out")
    gone = [tmp_path / "out" / "manifests" / name for name in ("00-namespace.yaml", "node.yaml")]
    assert done.stdout.splitlines()[1:] == [f"{path} removed" for path in gone]
    assert done.stderr.endswith("1 changed, 2 removed\n")


def test_render_has_a_place_of_its_own_for_each_environment(tmp_path: Path) -> None:
    folder = spec(tmp_path / "specs", "")
    otel_kit("render", "--env", "test", "--spec-dir", folder, cwd=tmp_path)
    assert [p.name for p in (tmp_path / "build" / "collector" / "test").glob("*/*")] == ["node.yaml"]
    cluster = "kubernetes: {cluster: c}\ncollector: {distribution: kit}\n"
    otel_kit("render", "--env", "test", "--spec-dir", spec(folder, cluster), cwd=tmp_path)
    assert (folder / "rendered" / "test" / "manifests" / "node.yaml").exists()


def test_several_environments_are_made_before_the_first_is_written(tmp_path: Path) -> None:
    folder = spec(tmp_path / "specs", "")
    (folder / "other.yaml").write_text("environment: other\nbroken: 1\n")
    done = otel_kit("render", "--env", "test", "--env", "other", "--spec-dir", folder, cwd=tmp_path)
    assert (done.returncode, (tmp_path / "build").exists()) == (1, False)
    one_place = otel_kit("render", "--env", "dev", "--env", "prod", "--out", tmp_path / "out")
    assert (one_place.returncode, "--out holds one environment" in one_place.stderr) == (1, True)


def test_validate_asks_the_real_collector() -> None:
    done = otel_kit("validate", "--env", "local")
    assert (done.returncode, done.stdout) == (0, "local node: valid for build/otelcol-local\n"), done.stderr


@pytest.mark.kit
@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_the_real_collector_takes_every_tier_of_every_environment(environment: str) -> None:
    done = otel_kit("validate", "--env", environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"{environment} {tier}: valid for build/otelcol-kit" for tier in ("cluster", "gateway", "node")
    ]


@pytest.mark.kit
@pytest.mark.parametrize(
    "extra",
    [
        "{component: googlecloud, tier: gateway, signals: [traces, metrics, logs], config: {}}",
        "{component: kafka, tier: gateway, signals: [logs], config: {brokers: ['kafka:9092']}}",
        "{component: otlp_grpc/x, tier: node, signals: [logs], config: {endpoint: 'x:1'}}",
        "{component: otlp_http/x, tier: cluster, signals: [metrics], config: {endpoint: 'http://x'}}",
    ],
)
def test_the_real_collector_takes_every_exporter_that_a_spec_may_add(tmp_path: Path, extra: str) -> None:
    text = f"extends: {ROOT / 'collector' / 'prod.yaml'}\nenvironment: test\nextra: [{extra}]\n"
    (tmp_path / "test.yaml").write_text(text)
    done = otel_kit("validate", "--env", "test", "--spec-dir", tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_missing_collector_comes_with_its_remedy(tmp_path: Path) -> None:
    done = otel_kit("validate", "--env", "prod", "--spec-dir", ROOT / "collector", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        "error: build/otelcol-kit: there is no collector here; build it: make collector DISTRIBUTION=kit\n"
    )


@pytest.mark.parametrize(
    ("program", "says"),
    [
        ("#!/bin/sh\necho otelcol version 0.99.0\n", "is version 0.99.0, but the spec is for 0.158.0"),
        ("#!/bin/sh\nexit 0\n", "is no collector: it does not tell its version"),
        ("", "does not run: Exec format error"),
    ],
)
def test_a_program_that_is_not_this_collector_is_refused(tmp_path: Path, program: str, says: str) -> None:
    binary = tmp_path / "otelcol"
    binary.write_text(program)
    binary.chmod(0o755)
    done = otel_kit("validate", "--env", "local", "--binary", binary)
    assert (done.returncode, done.stderr) == (1, f"error: {binary}: {says}\n")


def test_what_the_collector_refuses_is_one_readable_sentence(tmp_path: Path) -> None:
    extra = "extra:\n  - {component: transform/x, tier: node, signals: [logs], config: {log_statments: []}}\n"
    done = otel_kit("validate", "--env", "test", "--spec-dir", spec(tmp_path, extra))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert f"error: {tmp_path}/test.yaml: config/node.yaml: the collector refuses it: " in done.stderr
    assert (
        "processors::transform/x: 'transformprocessor.Config' has invalid keys: log_statments\n"
        in done.stderr
    )


def test_several_complaints_of_the_collector_are_numbered(tmp_path: Path) -> None:
    extra = """extra:
  - {component: attributes/y, tier: node, signals: [logs], config: {actions: [{key: a, acton: insert}]}}
  - {component: otlp_http/z, tier: node, signals: [logs], config: {endpont: "http://x"}}
"""
    done = otel_kit("validate", "--env", "test", "--spec-dir", spec(tmp_path, extra))
    assert done.stderr.endswith(
        "the collector refuses it: (1) processors::attributes/y: 'actions[0]' has invalid keys: acton; "
        "(2) exporters::otlp_http/z: 'otlphttpexporter.Config' has invalid keys: endpont\n"
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sampling: {percnt: 5}\n", ":3: unknown key 'percnt'; did you mean 'percent'?"),
        ("sampling: {percent: 5\n", "test.yaml:4: broken YAML"),
        (
            "extra: [{component: atributes/x, tier: node, signals: [logs], config: {}}]\n",
            ":3: there is no processor or exporter 'atributes'; did you mean 'attributes'?",
        ),
        ("kubernetes: {cluster: c}\n", "has no 'k8s_attributes'; distributions that have it: contrib, kit"),
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_written(tmp_path: Path, text: str, says: str) -> None:
    out = tmp_path / "out"
    done = otel_kit("render", "--env", "test", "--spec-dir", spec(tmp_path / "specs", text), "--out", out)
    assert (done.returncode, done.stdout) == (1, "")
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not out.exists()


def test_an_environment_that_is_not_there(tmp_path: Path) -> None:
    done = otel_kit("render", "--env", "prdo", "--out", tmp_path / "out")
    assert done.returncode == 1
    says = (
        "this folder has no prdo.yaml; its environments are dev, local, prod, staging; did you mean 'prod'?"
    )
    assert done.stderr == f"error: collector: {says}\n"


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = otel_kit("render", "--env", "prod", "--out", tmp_path / "file")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "cannot be written" in done.stderr

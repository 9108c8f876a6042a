"""The sources of each distribution agree with its manifest, and the catalogue with both."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from otel_kit.collector.catalogue import VERSIONS, entries
from tests.parts import ROOT

DISTRIBUTIONS = ROOT / "collector" / "distribution"
VERSION = "0.158.0"
NAMES = ("local", "kit")
SECTIONS = ("extensions", "receivers", "processors", "exporters", "connectors")


def manifest(name: str) -> dict[str, list[str]]:
    """Section -> ``module version`` of each of its components."""
    loaded = yaml.safe_load((DISTRIBUTIONS / name / "manifest.yaml").read_text())
    return {section: [item["gomod"] for item in loaded[section]] for section in (*SECTIONS, "providers")}


@pytest.mark.parametrize("name", NAMES)
def test_components_go_holds_what_the_manifest_names(name: str) -> None:
    source = (DISTRIBUTIONS / name / "components.go").read_text()
    compiled = set(re.findall(r'NewFactory\(\)\.Type\(\): "(\S+ \S+)"', source))
    wanted = {module for section in SECTIONS for module in manifest(name)[section]}
    assert compiled == wanted


@pytest.mark.parametrize("name", NAMES)
def test_main_go_holds_the_providers_and_the_version_of_the_manifest(name: str) -> None:
    source = (DISTRIBUTIONS / name / "main.go").read_text()
    assert set(re.findall(r'Scheme\(\): "(\S+ \S+)"', source)) == set(manifest(name)["providers"])
    assert f'Version:     "{VERSION}"' in source


@pytest.mark.parametrize("name", NAMES)
def test_go_mod_pins_every_module_of_the_manifest_and_go_sum_its_hash(name: str) -> None:
    pinned = set(re.findall(r"^\t(\S+ v\S+)", (DISTRIBUTIONS / name / "go.mod").read_text(), re.MULTILINE))
    hashed = set((DISTRIBUTIONS / name / "go.sum").read_text().splitlines())
    modules = {module for section in manifest(name).values() for module in section}
    assert modules <= pinned
    for module in modules:
        assert any(line.startswith(f"{module} h1:") for line in hashed), module


@pytest.mark.parametrize("name", NAMES)
def test_the_catalogue_knows_every_component_of_the_distribution(name: str) -> None:
    found = {
        (section, module.split()[0].rpartition("/")[2])
        for section in SECTIONS
        for module in manifest(name)[section]
    }
    assert {(e.kind.value, e.module) for e in entries(VERSION) if name in e.distributions} == found


def test_every_catalogue_version_is_one_that_a_distribution_has() -> None:
    versions = {
        yaml.safe_load((DISTRIBUTIONS / name / "manifest.yaml").read_text())["dist"]["version"]
        for name in NAMES
    }
    assert set(VERSIONS) == versions


@pytest.mark.parametrize("name", ["local", pytest.param("kit", marks=pytest.mark.kit)])
def test_the_catalogue_names_components_as_the_binary_does(name: str) -> None:
    binary = ROOT / "build" / f"otelcol-{name}"
    printed = subprocess.run([binary, "components"], capture_output=True, text=True, check=True).stdout
    loaded = yaml.safe_load(printed)
    said = {(section, item["name"]) for section in SECTIONS for item in loaded[section]}
    former = {(e.kind.value, old) for e in entries(VERSION) for old in e.former}
    assert {(e.kind.value, e.name) for e in entries(VERSION) if name in e.distributions} == said - former


@pytest.mark.parametrize("name", ["local", pytest.param("kit", marks=pytest.mark.kit)])
def test_the_catalogue_knows_the_signals_of_each_component(name: str) -> None:
    """A connector takes signals; the binary lists pairs of them."""
    binary = ROOT / "build" / f"otelcol-{name}"
    printed = subprocess.run([binary, "components"], capture_output=True, text=True, check=True).stdout
    loaded = yaml.safe_load(printed)
    for section in ("receivers", "processors", "exporters"):
        for item in loaded[section]:
            entry = next(
                (e for e in entries(VERSION) if e.kind.value == section and e.name == item["name"]), None
            )
            if entry is not None:
                able = {signal for signal, level in item["stability"].items() if level != "Undefined"}
                assert entry.signals == able & {"traces", "metrics", "logs"}, item["name"]


def test_a_build_that_is_up_to_date_is_skipped() -> None:
    done = subprocess.run(
        [sys.executable, DISTRIBUTIONS / "build.py", "local"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, "is up to date" in done.stderr) == (0, True), done.stderr


def test_the_build_names_the_distributions_that_there_are() -> None:
    done = subprocess.run(
        [sys.executable, DISTRIBUTIONS / "build.py", "lokal"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "kit|local" in done.stderr


@pytest.mark.parametrize("name", ["local", "one-of-your-own"])
def test_a_build_without_modules_says_so_in_one_sentence(tmp_path: Path, name: str) -> None:
    """An empty module cache and no way to a proxy; the sources are copied, so the real binary stays."""
    distribution = tmp_path / "collector" / "distribution"
    (distribution / name).mkdir(parents=True)
    for file in (DISTRIBUTIONS / "local").iterdir():
        (distribution / name / file.name).write_bytes(file.read_bytes())
    (distribution / "build.py").write_bytes((DISTRIBUTIONS / "build.py").read_bytes())
    env = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "GOPROXY": "off",
        "GOCACHE": str(tmp_path / "cache"),
        "GOMODCACHE": str(tmp_path / "modules"),
    }
    done = subprocess.run(
        [sys.executable, distribution / "build.py", name],
        capture_output=True,
        text=True,
        env=env,
        check=False,
    )
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 1
    assert last.startswith(f"otelcol-{name}: GOPROXY=off and a module is not in the cache")
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "build").iterdir())

"""Writing: all or nothing, nothing left over, nothing of others removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from otel_kit.collector.files import differences, write
from otel_kit.collector.generate import generate
from otel_kit.collector.load import load_spec
from otel_kit.collector.names import RENDERED
from otel_kit.collector.render import MARK
from otel_kit.errors import InputError
from tests.parts import ROOT

FILES = {"config/node.yaml": f"{MARK}\na: 1\n", "manifests/node.yaml": f"{MARK}\nb: 2\n"}


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    assert write(tmp_path, FILES).changed == tuple(tmp_path / name for name in FILES)
    assert write(tmp_path, FILES).changed == ()
    assert differences(tmp_path, FILES) == []


def test_what_is_no_longer_rendered_is_removed_and_what_is_not_ours_stays(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    (tmp_path / "config" / "mine.yaml").write_text("a: 1\n")
    # A copy of a rendered file begins as ours do, but its name is not one of ours.
    (tmp_path / "manifests" / "gateway-canary.yaml").write_text(FILES["manifests/node.yaml"])
    (tmp_path / "manifests" / "gateway.yaml").write_text("b: 2\n")
    fewer = {"config/node.yaml": FILES["config/node.yaml"]}
    assert differences(tmp_path, fewer) == ["manifests/node.yaml"]
    assert write(tmp_path, fewer).removed == (tmp_path / "manifests" / "node.yaml",)
    left = ["gateway-canary.yaml", "gateway.yaml", "mine.yaml", "node.yaml"]
    assert sorted(p.name for p in tmp_path.glob("*/*")) == left


def test_a_folder_in_place_of_a_file_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "manifests" / "node.yaml").mkdir(parents=True)
    with pytest.raises(InputError) as caught:
        write(tmp_path, FILES)
    assert str(caught.value) == (
        f"{tmp_path}/manifests/node.yaml: cannot be written: a folder stands in its place"
    )
    assert [p.name for p in tmp_path.glob("*/*")] == ["node.yaml"]


def test_every_rendered_name_is_one_that_may_be_removed() -> None:
    assert generate(load_spec(ROOT / "collector", "prod")).keys() < RENDERED


def test_nothing_is_half_written(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    (tmp_path / "blocked").write_text("a file, where a folder is needed")
    more = {"config/node.yaml": f"{MARK}\na: 9\n", "blocked/x.yaml": f"{MARK}\n"}
    with pytest.raises(InputError, match="cannot be written"):
        write(tmp_path, more)
    assert (tmp_path / "config" / "node.yaml").read_text() == FILES["config/node.yaml"]
    assert not list(tmp_path.glob("config/.*"))


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_what_is_committed_is_what_is_rendered(environment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    folder = Path("collector")
    stale = differences(folder / "rendered" / environment, generate(load_spec(folder, environment)))
    assert not stale, f"run: make rendered (differs: {', '.join(stale)})"


def test_rendering_twice_gives_the_same_bytes() -> None:
    spec = load_spec(ROOT / "collector", "prod")
    assert generate(spec) == generate(spec)


def test_the_same_bytes_come_however_the_folder_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    absolute = generate(load_spec(ROOT / "collector", "prod"))
    monkeypatch.chdir(ROOT / "tests")
    assert generate(load_spec(Path("../collector"), "prod")) == absolute

"""Writing: all or nothing, nothing left over, nothing of others removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from otel_kit.collector.files import differences, write
from otel_kit.collector.generate import generate
from otel_kit.collector.load import load_spec
from otel_kit.collector.render import MARK
from otel_kit.errors import InputError
from tests.parts import ROOT

FILES = {"config/node.yaml": f"{MARK}\na: 1\n", "manifests/node.yaml": f"{MARK}\nb: 2\n"}


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    assert write(tmp_path, FILES) == [tmp_path / name for name in FILES]
    assert write(tmp_path, FILES) == []
    assert differences(tmp_path, FILES) == []


def test_what_is_no_longer_rendered_is_removed_and_what_is_not_ours_stays(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    (tmp_path / "config" / "mine.yaml").write_text("a: 1\n")
    fewer = {"config/node.yaml": FILES["config/node.yaml"]}
    assert differences(tmp_path, fewer) == ["manifests/node.yaml"]
    write(tmp_path, fewer)
    assert sorted(p.name for p in tmp_path.glob("*/*")) == ["mine.yaml", "node.yaml"]


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

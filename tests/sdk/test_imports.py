"""Hooks of modules, in whatever state the import is; each called once."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from otel_kit.sdk.imports import when_imported
from tests.parts import eventually

NAME = "otel_kit_tests_slow_module"
BEGUN, GO_ON = threading.Event(), threading.Event()
SLOW = f"""
import sys
test = sys.modules["{__name__}"]
test.BEGUN.set()
assert test.GO_ON.wait(60)
if test.FAILS.pop():
    raise ValueError("no")
"""
FAILS: list[bool] = []


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A module whose import takes until `GO_ON`."""
    (tmp_path / f"{NAME}.py").write_text(SLOW)
    monkeypatch.syspath_prepend(str(tmp_path))
    BEGUN.clear()
    GO_ON.clear()
    FAILS[:] = [False]
    yield
    sys.modules.pop(NAME, None)


def beginning() -> threading.Thread:
    """A thread that has begun to import it."""

    def bring() -> None:
        try:
            importlib.import_module(NAME)
        except ValueError:
            return

    thread = threading.Thread(target=bring)
    thread.start()
    assert BEGUN.wait(60)
    return thread


@pytest.mark.parametrize("when", ["before", "during", "after"])
def test_a_hook_is_called_once(when: str) -> None:
    got: list[ModuleType] = []
    if when == "before":
        when_imported(NAME, got.append)
    thread = beginning()
    if when == "during":
        when_imported(NAME, got.append)
    assert got == []
    GO_ON.set()
    thread.join()
    if when == "after":
        when_imported(NAME, got.append)
    eventually(lambda: got)
    when_imported(NAME, lambda _: None)
    assert got == [sys.modules[NAME]]


def test_an_import_that_fails_is_no_import() -> None:
    got: list[ModuleType] = []
    FAILS[:] = [False, True]
    thread = beginning()
    when_imported(NAME, got.append)
    GO_ON.set()
    thread.join()
    assert NAME not in sys.modules
    eventually(lambda: not [t for t in threading.enumerate() if t.name == "otel-kit-import"])
    assert got == []
    importlib.import_module(NAME)
    assert got == [sys.modules[NAME]]

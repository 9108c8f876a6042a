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
from tests.sdk.test_init import python

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


def test_psutil_is_loaded_once_somebody_uses_it(tmp_path: Path) -> None:
    """The SDK loads it wherever it is installed, for a detector that `init` does not run."""
    (tmp_path / "psutil.py").write_text("class Process:\n    def username(self): return 'somebody'\n")
    python(
        """
        import sys, otel_kit
        otel_kit.init(service="s")
        assert "psutil" not in sys.modules
        from opentelemetry.sdk import resources
        assert resources.ProcessResourceDetector().detect().attributes["process.owner"] == "somebody"
        import psutil
        assert psutil is sys.modules["psutil"] and psutil.__spec__.name == "psutil"
        assert resources.psutil.Process is psutil.Process
        """,
        PYTHONPATH=str(tmp_path),
    )


def test_a_module_that_is_put_off_is_the_real_one_for_whoever_imports_it_meanwhile() -> None:
    python(
        """
        import sys
        from otel_kit.sdk.imports import put_off
        with put_off("wave"), put_off("not_installed"):
            import wave as later
            from wave import open as opened
            assert "not_installed" not in sys.modules
        import wave
        assert opened is later.open is wave.open and wave is not later
        with put_off("wave"):
            import wave as loaded
        assert loaded is wave
        """
    )


def test_modules_are_found_when_they_come_and_left_as_they_were() -> None:
    python(
        """
        import importlib.util, logging, sys, otel_kit
        otel_kit.init(service="s")
        assert importlib.util.find_spec("grpc") and "grpc" not in sys.modules  # a look is no import
        import grpc, starlette.applications
        from otel_kit.sdk.patching import restore
        kinds = (grpc._server._Server, grpc.aio._server.Server, starlette.applications.Starlette)
        names = ("__init__", "__init__", "__call__")
        patched = [vars(kind)[name] for kind, name in zip(kinds, names)]
        assert all(hasattr(one, "__wrapped__") for one in patched)
        for module in (grpc, starlette.applications):
            assert type(module.__spec__.loader) is type(module.__loader__)
            assert type(module.__loader__).__name__ == "SourceFileLoader"
        restore()
        assert [vars(kind)[name] for kind, name in zip(kinds, names)] == [one.__wrapped__ for one in patched]
        """
    )

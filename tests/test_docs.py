"""What the pages show is true: snippets run, links lead somewhere, the reference is the code's."""

from __future__ import annotations

import inspect
import itertools
import re
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

import pytest

import otel_kit
import otel_kit.testing
from docs.generate import reference
from tests.parts import ROOT, free_port

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _fences(language: str) -> Sequence[object]:
    found = []
    for page in PAGES:
        for number, (kind, text) in enumerate(FENCE.findall(page.read_text())):
            if kind == language:
                found.append(pytest.param(text, id=f"{page.name}-{number}"))
    return found


def test_the_first_screen_of_the_readme_is_short() -> None:
    text = (ROOT / "README.md").read_text()
    first = next(code for kind, code in FENCE.findall(text) if kind == "python")
    assert len(first.splitlines()) <= 15
    assert text.index("make test") < 1500


@pytest.mark.parametrize("code", _fences("python"))
def test_python_snippets_run(code: str) -> None:
    """Each is a whole program; nothing listens where it sends, and it must not care."""
    env = {"PATH": "/usr/bin:/bin", "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{free_port()}"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def _examples() -> Sequence[object]:
    """The example in the docstring of each public name; each must have one."""
    public = [getattr(otel_kit, name) for name in otel_kit.__all__ if name != "__version__"]
    return [
        pytest.param(_example(inspect.getdoc(value) or ""), id=value.__name__)
        for value in (otel_kit, *public)
    ]


def _example(doc: str) -> str:
    head, _, block = doc.rpartition("::\n")
    assert head, "no example in this docstring"
    lines = block.lstrip("\n").splitlines()
    return textwrap.dedent("\n".join(itertools.takewhile(lambda line: not line or line[0] == " ", lines)))


@pytest.mark.parametrize("code", _examples())
def test_examples_in_docstrings_run(code: str) -> None:
    assert "otel_kit." in code
    test_python_snippets_run(code)


def test_the_example_of_the_pytest_plugin_runs(tmp_path: Path) -> None:
    (tmp_path / "test_example.py").write_text(_example(inspect.getdoc(otel_kit.testing) or ""))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert "1 passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_commands_that_are_shown_exist(page: Path) -> None:
    text = page.read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for target in re.findall(r"(?:`|\$ )make ([a-z-]+)", text):
        assert target in targets, f"{page.name}: make {target}"
    commands = set(re.findall(r"^## `otel-kit ([a-z ]+)`", reference(), re.MULTILINE))
    for words in re.findall(r"(?:`|\$ )otel-kit ([a-z]+(?: [a-z]+)?)", text):
        assert words in commands or words.split()[0] in commands, f"{page.name}: otel-kit {words}"


def test_the_reference_is_up_to_date() -> None:
    assert (ROOT / "docs" / "reference.md").read_text() == reference(), "run: python -m docs.generate"

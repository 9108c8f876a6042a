from __future__ import annotations

from pathlib import Path

import pytest

from otel_kit.errors import InputError
from otel_kit.yaml_tree import load_yaml, parse_yaml


def test_scalars_are_what_people_mean() -> None:
    text = "{a: no, b: on, c: 12:30, d: 2026-11-24, e: 010, f: 1e3, g: .5, h: true, i: ~, j: '5', k: !!str 5}"
    assert parse_yaml(text, "f").plain() == {
        "a": "no",
        "b": "on",
        "c": "12:30",
        "d": "2026-11-24",
        "e": 10,
        "f": 1000.0,
        "g": 0.5,
        "h": True,
        "i": None,
        "j": "5",
        "k": "5",
    }


def test_every_value_knows_its_line() -> None:
    root = parse_yaml("a:\n  b:\n    - x\n    - c: >-\n        long\n        text\n", "m.yaml")
    assert root.at("a").where == "m.yaml:1"
    assert root.at("a", "b", 1, "c").where == "m.yaml:4"
    assert root.at("a", "b", 1, "c").value == "long text"
    assert root.at("a", "b", 7, "nowhere").where == "m.yaml:2"


def test_an_anchor_is_read_as_often_as_it_is_used() -> None:
    assert parse_yaml("a: &x {k: 1}\nb: *x\n", "f").plain() == {"a": {"k": 1}, "b": {"k": 1}}


#: Each line stands for nine of the line before.
LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: [1\nb: 2", "f:2: broken YAML: while parsing a flow sequence, did not find expected ',' or ']'"),
        ("a: 1\nb: 2\na: 3", "f:3: the key 'a' was already given in line 1; keep one"),
        ("- &x [*x]", "f:1: an anchor contains itself"),
        ("a: !!python/object:os.system x", "f:1: the tag 'tag:yaml.org,2002:python/object:os.system'"),
        ("a: !secret x", "f:1: the tag '!secret' is not plain data; remove it"),
        ("? [1]\n: 2", "f:1: a key must be a plain word"),
        ("x: &a {}\ny:\n  <<: *a", "f:3: merge keys (<<) are not read"),
        ("a: 1\n---\nb: 2", "f:2: broken YAML: expected a single document"),
        ("a: !!bool maybe", "f:1: the tag 'tag:yaml.org,2002:bool' is not plain data"),
        ("a: 1e999", "f:1: '1e999' is too large for a number"),
        ("a: 1\nb: " + "[" * 150 + "]" * 150, "f:2: is nested more than 100 levels deep"),
        ("\n".join(" " * i + "a:" for i in range(600)), "f:100: is nested more than 100 levels deep"),
        ("[" * 900 + "]" * 900, "f:1: is nested more than 100 levels deep"),
        ("[" * 200_000, "f:1: "),
        (LAUGHS, "f:6: with its aliases the file has more than 200000 values; split it"),
        ("a: \x01", "f: is not YAML: unacceptable character"),
    ],
)
def test_broken_text_is_one_sentence_with_its_line(text: str, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_yaml(text, "f")
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.yaml: cannot be read: No such file or directory"):
        load_yaml(tmp_path / "gone.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe4")
    with pytest.raises(InputError, match=r"latin\.yaml: is not UTF-8 text"):
        load_yaml(tmp_path / "latin.yaml")

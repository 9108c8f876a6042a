from __future__ import annotations

import random
from typing import Any

import pytest

from otel_kit.datadog.diff import ABSENT, Unordered, diff, moved, same


def told(old: Any, new: Any) -> list[tuple[tuple[str | int, ...], Any, Any]]:
    return [(e.path, e.old, e.new) for e in diff(old, new)]


@pytest.mark.parametrize(
    ("old", "new", "equal"),
    [
        (5, 5.0, True),
        (True, 1, False),
        ({"a": [1, 2.0]}, {"a": [1.0, 2]}, True),
        ([1, 2], [2, 1], False),
        (None, 0, False),
        (Unordered([1, {"a": 2}]), Unordered([{"a": 2.0}, 1]), True),
        (Unordered([1, 1, 2]), Unordered([1, 2, 2]), False),
    ],
)
def test_equal_as_json(old: Any, new: Any, equal: bool) -> None:
    assert same(old, new) is equal
    assert (told(old, new) == []) is equal


def test_one_item_in_front_is_one_edit() -> None:
    assert told(["b", "c"], ["a", "b", "c"]) == [((0,), ABSENT, "a")]
    assert told(["a", "b", "c"], ["b", "c"]) == [((0,), "a", ABSENT)]


def test_a_change_within_a_list_of_repeats_is_one_edit() -> None:
    assert told(["a", "a", "b"], ["a", "c", "b"]) == [((1,), "a", "c")]


def test_named_items_are_compared_by_name() -> None:
    old = [{"name": "env", "default": "*"}, {"name": "host", "default": "*"}]
    new = [{"name": "host", "default": "*"}, {"name": "env", "default": "prod"}]
    assert told(old, new) == [(("[env]", "default"), "*", "prod"), (("[env]", "position"), 1, 2)]


def test_a_renamed_item_is_one_edit() -> None:
    old = [{"name": "a", "query": "x"}, {"name": "b", "query": "y"}]
    new = [{"name": "a", "query": "x"}, {"name": "c", "query": "y"}]
    assert told(old, new) == [((1, "name"), "b", "c")]


def test_words_without_order_are_added_and_removed() -> None:
    assert told(frozenset({"a", "b"}), frozenset({"b", "c"})) == [((), "a", ABSENT), ((), ABSENT, "c")]


def test_what_is_kept_of_an_unordered_list_is_not_told() -> None:
    old, new = Unordered([{"v": 1}, {"v": 2}, {"v": 3}]), Unordered([{"v": 3}, {"v": 1}, {"v": 4}])
    assert told(old, new) == [((2, "v"), 2, 4)]


@pytest.mark.parametrize("seed", range(20))
def test_moving_the_told_items_sorts_the_list(seed: int) -> None:
    positions = list(range(12))
    random.Random(seed).shuffle(positions)
    left = [p for i, p in enumerate(positions) if i not in moved(positions)]
    assert left == sorted(left)


def test_one_moved_item_is_told_alone() -> None:
    assert moved([4, 0, 1, 2, 3]) == {0}
    assert moved([0, 1, 2]) == set()
    assert moved([]) == set()

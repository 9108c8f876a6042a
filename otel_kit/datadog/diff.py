"""Compare two JSON values: a list of edits, each with its path. Pure and deterministic.

Numbers are equal by value (5 and 5.0), true is not 1. Lists are aligned before they are compared, so that one
item put in front is one edit; lists of things with unique names are compared by name. Where order means
nothing, a frozenset stands for a list of words and an `Unordered` for a list of anything.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final, TypeAlias

__all__ = ["ABSENT", "Absent", "Edit", "Path", "Unordered", "canonical", "diff", "moved", "same"]

#: Steps from the root: a key, a list index, or ``[label]`` for a list item that is known by name.
Path: TypeAlias = "tuple[str | int, ...]"


class Absent:
    """The value of what is not there; `None` is a value that Datadog knows."""

    def __repr__(self) -> str:
        return "absent"


ABSENT: Final = Absent()


class Unordered(list[Any]):
    """A list in which order means nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One difference: `old` is what Datadog has, `new` what the files want."""

    path: Path
    old: Any
    new: Any


def same(old: Any, new: Any) -> bool:
    """Equal as JSON."""
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(same(value, new[key]) for key, value in old.items())
    if isinstance(old, Unordered) and isinstance(new, Unordered):
        return Counter(map(canonical, old)) == Counter(map(canonical, new))
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(same, old, new))
    if isinstance(old, bool) or isinstance(new, bool):
        return old is new
    return bool(old == new)


def canonical(value: Any) -> str:
    """A text that is equal for equal values."""
    return json.dumps(_integral(value), sort_keys=True)


def diff(old: Any, new: Any, path: Path = ()) -> Iterator[Edit]:
    """What turns `old` into `new`."""
    if same(old, new):
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*new, *(k for k in old if k not in new)]:
            yield from diff(old.get(key, ABSENT), new.get(key, ABSENT), (*path, key))
    elif isinstance(old, frozenset) and isinstance(new, frozenset):
        yield from (Edit(path=path, old=item, new=ABSENT) for item in sorted(old - new))
        yield from (Edit(path=path, old=ABSENT, new=item) for item in sorted(new - old))
    elif isinstance(old, list) and isinstance(new, list):
        unordered = isinstance(old, Unordered) and isinstance(new, Unordered)
        yield from _unordered(old, new, path) if unordered else _lists(old, new, path)
    else:
        yield Edit(path=path, old=old, new=new)


def moved(positions: Sequence[int]) -> set[int]:
    """Which items of a permutation to move, at least, to sort it: indexes outside a longest rising run."""
    best: list[list[int]] = []
    for index, position in enumerate(positions):
        before = [run for run in best if positions[run[-1]] < position]
        best.append([*_longest(before), index])
    return set(range(len(positions))) - set(_longest(best))


def _longest(runs: list[list[int]]) -> list[int]:
    return max(runs, key=len) if runs else []


def _integral(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _integral(child) for key, child in value.items()}
    if isinstance(value, Unordered):
        return sorted((_integral(child) for child in value), key=canonical)
    if isinstance(value, (list, tuple)):
        return [_integral(child) for child in value]
    if isinstance(value, frozenset):
        return sorted(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _lists(old: list[Any], new: list[Any], path: Path) -> Iterator[Edit]:
    old_names, new_names = _names(old), _names(new)
    # Neither a subset of the other: something was renamed, which the alignment below tells as one edit.
    if old_names and new_names and (set(old_names) <= set(new_names) or set(new_names) <= set(old_names)):
        before, after = dict(zip(old_names, old, strict=True)), dict(zip(new_names, new, strict=True))
        yield from _by_name(before, after, path)
        return
    pairs = _aligned(old, new)
    by_index = _index_pairs(old, new)
    if len(old) == len(new) and len(by_index) <= len(pairs):
        pairs = by_index
    for i, j in pairs:
        here = (*path, (i or 0) if j is None else j)
        yield from diff(ABSENT if i is None else old[i], ABSENT if j is None else new[j], here)


def _unordered(old: list[Any], new: list[Any], path: Path) -> Iterator[Edit]:
    """What both have is equal; the rest is paired in the order it comes in."""
    kept = Counter(map(canonical, old)) & Counter(map(canonical, new))
    before, after = _without(old, kept), _without(new, kept)
    for k in range(max(len(before), len(after))):
        i, was = before[k] if k < len(before) else (0, ABSENT)
        j, wanted = after[k] if k < len(after) else (i, ABSENT)
        yield from diff(was, wanted, (*path, j))


def _without(items: list[Any], kept: Counter[str]) -> list[tuple[int, Any]]:
    left = Counter(kept)
    rest = []
    for index, item in enumerate(items):
        key = canonical(item)
        if left[key]:
            left[key] -= 1
        else:
            rest.append((index, item))
    return rest


def _names(items: list[Any]) -> list[str] | None:
    names = [item.get("name") for item in items if isinstance(item, dict)]
    usable = len(names) == len(items) == len(set(map(str, names))) and all(isinstance(n, str) for n in names)
    return [str(n) for n in names] if usable else None


def _by_name(old: dict[str, Any], new: dict[str, Any], path: Path) -> Iterator[Edit]:
    common = [name for name in new if name in old]
    order = [name for name in old if name in new]
    places = [order.index(name) for name in common]
    out_of_place = {common[i] for i in moved(places)}
    for name in [*new, *(n for n in old if n not in new)]:
        here = (*path, f"[{name}]")
        yield from diff(old.get(name, ABSENT), new.get(name, ABSENT), here)
        if name in out_of_place:
            yield Edit(path=(*here, "position"), old=order.index(name) + 1, new=common.index(name) + 1)


def _index_pairs(old: list[Any], new: list[Any]) -> list[tuple[int | None, int | None]]:
    return [(i, i) for i in range(min(len(old), len(new))) if not same(old[i], new[i])]


def _aligned(old: list[Any], new: list[Any]) -> list[tuple[int | None, int | None]]:
    left, right = [canonical(x) for x in old], [canonical(x) for x in new]
    pairs: list[tuple[int | None, int | None]] = []
    for op, i1, i2, j1, j2 in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if op == "equal":
            continue
        both = min(i2 - i1, j2 - j1)
        pairs.extend((i1 + k, j1 + k) for k in range(both))
        pairs.extend((i, None) for i in range(i1 + both, i2))
        pairs.extend((None, j) for j in range(j1 + both, j2))
    return pairs

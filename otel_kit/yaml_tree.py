"""Read YAML into a tree that remembers where each value stands, so that every error can name file and line.

Scalars follow YAML 1.2's core schema and JSON: ``no``, ``on``, ``12:30`` and ``2026-11-24`` are strings, as
people mean them. Duplicate keys are refused, and so is what no person writes: deep nesting, and aliases that
multiply. Nothing here knows what a monitor is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import yaml

from otel_kit.errors import InputError

__all__ = ["Node", "Value", "load_yaml", "parse_yaml"]

_MAX_DEPTH: Final = 100
#: Values of one file, each alias counted with all that it stands for.
_MAX_VALUES: Final = 200_000
_SHOWN: Final = 40

Value: TypeAlias = "dict[str, Node] | list[Node] | str | int | float | bool | None"


@dataclass(frozen=True, slots=True)
class Node:
    """A value, and the file and line (from 1) of its key or list item."""

    value: Value
    file: str
    line: int

    @property
    def where(self) -> str:
        """``monitors/http.yaml:12``."""
        return f"{self.file}:{self.line}"

    @property
    def mapping(self) -> Mapping[str, Node]:
        """The entries of a mapping; empty for any other value."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def items(self) -> list[Node]:
        """The items of a list; empty for any other value."""
        return self.value if isinstance(self.value, list) else []

    def plain(self) -> Any:
        """The value as JSON has it: dicts, lists, strings, numbers, booleans, None."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value

    def at(self, *path: str | int) -> Node:
        """The node at `path`, or the nearest one above it that exists."""
        node = self
        for step in path:
            if isinstance(step, int):
                if not -len(node.items) <= step < len(node.items):
                    break
                node = node.items[step]
            elif step in node.mapping:
                node = node.mapping[step]
            else:
                break
        return node

    def with_value(self, value: Value) -> Node:
        """Another value in the same place."""
        return Node(value, self.file, self.line)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """libyaml's loader where it is there (about ten times quicker), with the core schema of YAML 1.2."""

    yaml_implicit_resolvers: dict[str, list[Any]] = {}  # noqa: RUF012 (PyYAML reads this class attribute)


_TAG = "tag:yaml.org,2002:"
for _name, _pattern, _first in (
    ("null", r"(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"[-+]?[0-9]+$", list("-+0123456789")),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", list("-+.0123456789")),
):
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(_pattern), _first)


def load_yaml(path: Path) -> Node:
    """Read one file.

    Raises:
        InputError: unreadable, broken or not plain data, with file and line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise InputError("is not UTF-8 text", where=str(path), fix="save it as UTF-8") from error
    return parse_yaml(text, str(path))


def parse_yaml(text: str, file: str) -> Node:
    """Parse the one document that `text` holds; `file` is its name in errors."""
    try:
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        raise _broken(error, file) from error
    except yaml.YAMLError as error:
        raise InputError(f"is not YAML: {' '.join(str(error).split())}", where=file) from error
    except RecursionError:
        raise _too_deep(f"{file}:{_line_of_depth(text)}") from None
    if root is None:
        return Node(None, file, 1)
    return _Builder(file).node(root, root.start_mark.line + 1)


def _broken(error: yaml.MarkedYAMLError, file: str) -> InputError:
    mark = error.problem_mark or error.context_mark
    where = f"{file}:{mark.line + 1}" if mark else file
    parts = [error.context, error.problem]
    return InputError(f"broken YAML: {', '.join(p for p in parts if p)}", where=where)


def _too_deep(where: str) -> InputError:
    return InputError(f"is nested more than {_MAX_DEPTH} levels deep", where=where)


def _line_of_depth(text: str) -> int:
    """The line in which the nesting passes what is read; the events come without recursion."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            return event.start_mark.line + 1 if event.start_mark else 1
    return 1


class _Builder:
    def __init__(self, file: str) -> None:
        self._file = file
        self._open: list[yaml.Node] = []
        self._values = 0

    def node(self, source: yaml.Node, line: int) -> Node:
        self._count(line)
        if isinstance(source, yaml.ScalarNode):
            return Node(self._scalar(source, line), self._file, line)
        if any(source is outer for outer in self._open):
            raise self._error("an anchor contains itself", line)
        if len(self._open) >= _MAX_DEPTH:
            raise _too_deep(f"{self._file}:{line}")
        self._open.append(source)
        try:
            return Node(self._value(source), self._file, line)
        finally:
            self._open.pop()

    def _count(self, line: int) -> None:
        self._values += 1
        if self._values > _MAX_VALUES:
            # An alias stands where its anchor does; the entry of the file that holds it all is of more help.
            mark = self._open[1].start_mark if len(self._open) > 1 else None
            where = mark.line + 1 if mark else line
            raise self._error(
                f"with its aliases the file has more than {_MAX_VALUES} values", where, "split it"
            )

    def _value(self, source: yaml.Node) -> Value:
        if isinstance(source, yaml.MappingNode):
            return dict(self._entries(source))
        return [self.node(item, item.start_mark.line + 1) for item in source.value]

    def _entries(self, source: yaml.MappingNode) -> Iterator[tuple[str, Node]]:
        seen: dict[str, int] = {}
        for key_node, value_node in source.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise self._error("a key must be a plain word", line)
            key = str(key_node.value)
            if key == "<<":
                raise self._error("merge keys (<<) are not read", line, "use 'defaults:' or write it out")
            if key in seen:
                raise self._error(f"the key '{key}' was already given in line {seen[key]}", line, "keep one")
            seen[key] = line
            yield key, self.node(value_node, line)

    def _scalar(self, source: yaml.Node, line: int) -> Value:
        kind = source.tag.removeprefix(_TAG)
        text = str(source.value)
        if kind == "str":
            return text
        if kind == "null":
            return None
        if kind == "bool" and text.lower() in {"true", "false"}:
            return text.lower() == "true"
        if kind in {"int", "float"}:
            return self._number(text, kind, line)
        raise self._error(f"the tag '{source.tag}' is not plain data", line, "remove it")

    def _number(self, text: str, kind: str, line: int) -> int | float:
        try:
            number = int(text) if kind == "int" else float(text)
        except ValueError:
            raise self._error(f"'{text[:_SHOWN]}' is not a number", line) from None
        if abs(number) == math.inf:
            raise self._error(f"'{text[:_SHOWN]}' is too large for a number", line)
        return number

    def _error(self, what: str, line: int, fix: str | None = None) -> InputError:
        return InputError(what, where=f"{self._file}:{line}", fix=fix)

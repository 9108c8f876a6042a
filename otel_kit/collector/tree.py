"""Read YAML into a tree that remembers where each value stands, for errors with file and line."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from otel_kit.errors import InputError

__all__ = ["Node", "merge", "read"]

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Node:
    """A value, and the file and line (from 1) where it stands.

    `value` is a dict of nodes, a list of nodes, or a scalar.
    """

    value: Any
    file: str
    line: int

    @property
    def where(self) -> str:
        """``collector/prod.yaml:12``."""
        return f"{self.file}:{self.line}"

    def plain(self) -> Any:
        """The value without its places."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value


def read(path: Path) -> Node:
    """Read one file, which must hold a mapping.

    Raises:
        InputError: unreadable, broken, or with a key twice; with file and line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise InputError("is not UTF-8 text", where=str(path), fix="save it as UTF-8") from error
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        if not isinstance(root, yaml.MappingNode):
            raise InputError("holds no mapping", where=str(path), fix="write 'key: value' lines")
        return _node(loader, root, str(path), root.start_mark.line + 1)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise InputError(f"broken YAML: {error.problem or error.context}", where=where) from error
    except yaml.YAMLError as error:
        raise InputError(f"is not YAML: {' '.join(str(error).split())}", where=str(path)) from error
    finally:
        loader.dispose()


def merge(base: Node, over: Node) -> Node:
    """`over` on top of `base`: mappings are merged key by key, anything else is replaced."""
    if not (isinstance(base.value, dict) and isinstance(over.value, dict)):
        return over
    merged = dict(base.value)
    for key, child in over.value.items():
        merged[key] = merge(merged[key], child) if key in merged else child
    return Node(merged, over.file, over.line)


def _node(loader: Any, source: yaml.Node, file: str, line: int) -> Node:
    if isinstance(source, yaml.SequenceNode):
        items = [_node(loader, item, file, item.start_mark.line + 1) for item in source.value]
        return Node(items, file, line)
    if isinstance(source, yaml.MappingNode):
        return Node(_mapping(loader, source, file), file, line)
    return Node(loader.construct_object(source), file, line)


def _mapping(loader: Any, source: yaml.MappingNode, file: str) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for key_node, value_node in source.value:
        line = key_node.start_mark.line + 1
        key: Hashable = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            raise InputError(f"the key {key!r} is no text", where=f"{file}:{line}", fix="put it in quotes")
        if key in found:
            first = found[key].line
            raise InputError(f"the key '{key}' stands twice (first in line {first})", where=f"{file}:{line}")
        found[key] = _node(loader, value_node, file, line)
    return found

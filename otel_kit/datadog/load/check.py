"""Small checks of YAML nodes that the loaders share: shape, type, known keys, each with file and line."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from otel_kit.errors import InputError, suggest
from otel_kit.yaml_tree import Node

__all__ = [
    "known_keys",
    "one_of",
    "optional_text",
    "optional_texts",
    "require_list",
    "require_mapping",
    "require_text",
    "shown",
]


def require_mapping(node: Node, what: str) -> Mapping[str, Node]:
    """The entries of a mapping."""
    if not isinstance(node.value, dict):
        raise InputError(f"{what} must be a mapping, not {_kind(node)}", where=node.where)
    return node.value


def require_list(node: Node, what: str) -> list[Node]:
    """The items of a list."""
    if not isinstance(node.value, list):
        raise InputError(f"{what} must be a list, not {_kind(node)}", where=node.where)
    return node.value


def require_text(parent: Node, key: str, what: str) -> str:
    """The non-empty string under `key`."""
    child = parent.mapping.get(key)
    if child is None:
        raise InputError(f"{what} has no '{key}'", where=parent.where, fix=f"add '{key}:'")
    if not isinstance(child.value, str) or not child.value.strip():
        raise InputError(f"'{key}' must be a non-empty string, not {_kind(child)}", where=child.where)
    return child.value


def optional_text(parent: Node, key: str) -> str | None:
    """The string under `key`, if it is there."""
    child = parent.mapping.get(key)
    if child is None:
        return None
    if not isinstance(child.value, str):
        raise InputError(f"'{key}' must be a string, not {_kind(child)}", where=child.where)
    return child.value


def optional_texts(parent: Node, key: str) -> list[tuple[Node, str]]:
    """The strings of the list under `key`, each with its place; empty where it is not there."""
    child = parent.mapping.get(key)
    texts = []
    for item in require_list(child, f"'{key}'") if child else []:
        if not isinstance(item.value, str) or not item.value:
            what = f"an item of '{key}' must be a string, not {shown(item)}"
            raise InputError(what, where=item.where, fix="quote it")
        texts.append((item, item.value))
    return texts


def known_keys(node: Node, known: Collection[str], what: str) -> None:
    """Refuse a key that is not in `known`."""
    for key, child in node.mapping.items():
        if key not in known:
            raise InputError(f"unknown key '{key}' in {what}", where=child.where, fix=suggest(key, known))


def one_of(node: Node, known: Collection[str], what: str) -> str:
    """The string of `node`, which must be one of `known`."""
    if not isinstance(node.value, str) or node.value not in known:
        word = node.value if isinstance(node.value, str) else shown(node)
        raise InputError(f"unknown {what} '{word}'", where=node.where, fix=suggest(word, known))
    return node.value


def shown(node: Node) -> str:
    """The value for an error: a scalar as JSON has it, anything else by its kind."""
    return _kind(node) if isinstance(node.value, (dict, list)) else json.dumps(node.value)


def _kind(node: Node) -> str:
    names = {dict: "a mapping", list: "a list", str: "a string", bool: "true or false", type(None): "nothing"}
    if node.value == "":
        return "an empty string"
    return names.get(type(node.value), "a number")

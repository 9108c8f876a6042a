"""Fill ``${service.name}`` and ``${thresholds.critical}`` in a YAML tree.

A scalar that is nothing but one placeholder takes the value with its type (``priority: ${service.tier}`` is a
number); inside a longer text the value is written out. ``$${`` stands for a literal ``${``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from otel_kit.errors import InputError, suggest
from otel_kit.yaml_tree import Node

__all__ = ["interpolate", "mentions", "number_text"]

_PLACEHOLDER: Final = re.compile(r"\$\$\{|\$\{([^{}\s]*)\}|\$\{")


def interpolate(node: Node, values: Mapping[str, Any]) -> Node:
    """A copy of `node` with each ``${name}`` replaced by ``values[name]``; keys are left as they are.

    Raises:
        InputError: for a name that is not in `values`, with file and line.
    """
    if isinstance(node.value, dict):
        return node.with_value({key: interpolate(child, values) for key, child in node.value.items()})
    if isinstance(node.value, list):
        return node.with_value([interpolate(child, values) for child in node.value])
    if not isinstance(node.value, str) or "${" not in node.value:
        return node
    whole = _PLACEHOLDER.fullmatch(node.value)
    if whole and whole[1] is not None:
        return node.with_value(_lookup(whole[1], values, node))
    return node.with_value(_fill(node.value, values, node))


def mentions(text: str, prefix: str) -> bool:
    """Does `text` hold a placeholder that starts with `prefix`?"""
    return any((match[1] or "").startswith(prefix) for match in _PLACEHOLDER.finditer(text))


def number_text(value: float) -> str:
    """A number as a query has it: no exponent, no ``.0``."""
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _fill(text: str, values: Mapping[str, Any], node: Node) -> str:
    def one(match: re.Match[str]) -> str:
        if match[0] == "$${":
            return "${"
        if match[1] is None:
            raise InputError("'${' opens a placeholder that is not closed", where=node.where, fix="add '}'")
        return _text(_lookup(match[1], values, node))

    return _PLACEHOLDER.sub(one, text)


def _lookup(name: str, values: Mapping[str, Any], node: Node) -> Any:
    if name in values:
        return values[name]
    fix = suggest(name, values) if values else "there are no placeholders here"
    if name.startswith("service.") and not any(known.startswith("service.") for known in values):
        fix = "only a definition with 'for_each:' has a service"
    raise InputError(f"unknown placeholder '${{{name}}}'", where=node.where, fix=fix)


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    return number_text(value)

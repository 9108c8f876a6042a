"""The options of a monitor: known keys, and values of the type that Datadog takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from otel_kit.datadog.load.check import known_keys, require_mapping, shown
from otel_kit.datadog.vocabulary import OPTION_KEYS, OPTION_TYPES, THRESHOLD_KEYS, OptionType
from otel_kit.errors import InputError
from otel_kit.yaml_tree import Node

__all__ = ["check_options"]


def _whole_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item.value, str) for item in value)


_FITS: Final[dict[OptionType, Callable[[Any], bool]]] = {
    "a mapping": lambda value: isinstance(value, dict),
    "a string": lambda value: isinstance(value, str),
    "true or false": lambda value: isinstance(value, bool),
    "a whole number, 0 or more": _whole_number,
    "a list": lambda value: isinstance(value, list),
    "a list of strings": _texts,
}


def check_options(options: Node) -> None:
    """Refuse what Datadog would not take, or would take for something else.

    Raises:
        InputError: with file and line.
    """
    require_mapping(options, "'options'")
    if "silenced" in options.mapping:
        where = options.at("silenced").where
        raise InputError(
            "'silenced' is not kept in files", where=where, fix="mute it in Datadog, or remove it"
        )
    known_keys(options, OPTION_KEYS, "'options'")
    for key, node in options.mapping.items():
        wanted = OPTION_TYPES[key]
        if node.value is not None and not _FITS[wanted](node.value):
            raise InputError(f"the option '{key}' must be {wanted}, not {shown(node)}", where=node.where)
    if "thresholds" in options.mapping:
        _check_thresholds(options.mapping["thresholds"])


def _check_thresholds(thresholds: Node) -> None:
    known_keys(thresholds, THRESHOLD_KEYS, "'thresholds'")
    for key, node in thresholds.mapping.items():
        number = isinstance(node.value, (int, float)) and not isinstance(node.value, bool)
        wanted = "a string" if key.endswith("query") else "a number"
        if node.value is not None and not (isinstance(node.value, str) if wanted == "a string" else number):
            raise InputError(f"the threshold '{key}' must be {wanted}, not {shown(node)}", where=node.where)

"""``for_each: {kind: http}``: repeat a definition, or a widget, over the services that match."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from otel_kit.datadog.load.check import known_keys, one_of, require_mapping, shown
from otel_kit.datadog.load.services import KINDS, NUMBER_FIELDS, SERVICE_FIELDS, Service
from otel_kit.errors import InputError
from otel_kit.yaml_tree import Node

__all__ = ["matching", "service_values"]


def matching(for_each: Node, services: Iterable[Service] | None) -> list[Service]:
    """The services that have each value that `for_each` asks for; a list of values means any of them.

    Raises:
        InputError: an unknown field or kind, a value that no field could have, or no services file.
    """
    require_mapping(for_each, "'for_each'")
    known_keys(for_each, SERVICE_FIELDS, "'for_each'")
    for kind in _alternatives(for_each.mapping.get("kind")):
        one_of(kind, KINDS, "kind of service")
    for key, node in for_each.mapping.items():
        for value in _alternatives(node):
            _check_type(key, value)
    if services is None:
        raise InputError(
            "'for_each' needs a services.yaml", where=for_each.where, fix="name it with --services"
        )
    wanted = {key: [n.value for n in _alternatives(node)] for key, node in for_each.mapping.items()}
    return [s for s in services if all(s.fields()[key] in values for key, values in wanted.items())]


def service_values(service: Service) -> dict[str, Any]:
    """``service.name`` and the other placeholders of one service."""
    return {f"service.{key}": value for key, value in service.fields().items()}


def _check_type(key: str, node: Node) -> None:
    wanted = "a number" if key in NUMBER_FIELDS else "a string"
    number = isinstance(node.value, (int, float)) and not isinstance(node.value, bool)
    if not (number if key in NUMBER_FIELDS else isinstance(node.value, str)):
        what = f"the {key} of a service is {wanted}, never {shown(node)}"
        raise InputError(what, where=node.where, fix="this would match nothing")


def _alternatives(node: Node | None) -> list[Node]:
    if node is None:
        return []
    return node.items if isinstance(node.value, list) else [node]

"""``for_each: {kind: http}``: repeat a definition, or a widget, over the services that match."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from otel_kit.datadog.check import known_keys, one_of, require_mapping
from otel_kit.datadog.services import KINDS, SERVICE_FIELDS, Service
from otel_kit.errors import InputError
from otel_kit.yaml_tree import Node

__all__ = ["matching", "service_values"]


def matching(for_each: Node, services: Iterable[Service] | None) -> list[Service]:
    """The services that have each value that `for_each` asks for; a list of values means any of them.

    Raises:
        InputError: an unknown field or kind, or there is no services file.
    """
    require_mapping(for_each, "'for_each'")
    known_keys(for_each, SERVICE_FIELDS, "'for_each'")
    for kind in _alternatives(for_each.mapping.get("kind")):
        one_of(kind, KINDS, "kind of service")
    if services is None:
        raise InputError(
            "'for_each' needs a services.yaml", where=for_each.where, fix="name it with --services"
        )
    wanted = {key: [n.value for n in _alternatives(node)] for key, node in for_each.mapping.items()}
    return [s for s in services if all(s.fields()[key] in values for key, values in wanted.items())]


def service_values(service: Service) -> dict[str, Any]:
    """``service.name`` and the other placeholders of one service."""
    return {f"service.{key}": value for key, value in service.fields().items()}


def _alternatives(node: Node | None) -> list[Node]:
    if node is None:
        return []
    return node.items if isinstance(node.value, list) else [node]

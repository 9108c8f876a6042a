"""``services.yaml``: the one list of services and cronjobs; monitors and dashboards repeat over it."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from otel_kit.datadog.load.check import known_keys, one_of, require_list, require_mapping, require_text, shown
from otel_kit.errors import InputError
from otel_kit.yaml_tree import Node, load_yaml

__all__ = ["KINDS", "NUMBER_FIELDS", "SERVICE_FIELDS", "Service", "load_services"]

KINDS: Final = ("http", "grpc", "cronjob")
SERVICE_FIELDS: Final = ("name", "kind", "owner", "tier", "slo")
NUMBER_FIELDS: Final = frozenset({"tier", "slo"})
# A DNS label: the name is also that of the Kubernetes Deployment and a part of monitor ids.
_NAME: Final = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_TIERS: Final = (1, 2, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One entry: `tier` is 1 (pages) to 3, `slo` the share of good requests in percent, below 100."""

    name: str
    kind: str
    owner: str
    tier: int
    slo: float

    def fields(self) -> dict[str, Any]:
        """Field -> value, as ``${service.FIELD}`` and ``for_each`` see them."""
        return asdict(self)


def load_services(path: Path) -> tuple[Service, ...]:
    """Read the file; the services in its order.

    Raises:
        InputError: with file and line.
    """
    root = load_yaml(path)
    require_mapping(root, "the file")
    known_keys(root, ("services",), "the file")
    if "services" not in root.mapping:
        raise InputError("has no 'services:' list", where=str(path))
    seen: dict[str, Node] = {}
    services = []
    for entry in require_list(root.mapping["services"], "'services'"):
        service = _service(entry)
        if service.name in seen:
            first = seen[service.name].where
            raise InputError(f"the service '{service.name}' is already listed at {first}", where=entry.where)
        seen[service.name] = entry
        services.append(service)
    return tuple(services)


def _service(entry: Node) -> Service:
    require_mapping(entry, "a service")
    known_keys(entry, SERVICE_FIELDS, "a service")
    name = require_text(entry, "name", "a service")
    what = f"the service '{name}'"
    if not _NAME.fullmatch(name):
        raise InputError(
            f"'{name}' is not a service name", where=entry.at("name").where, fix="use a-z, 0-9 and '-'"
        )
    require_text(entry, "kind", what)
    return Service(
        name=name,
        kind=one_of(entry.mapping["kind"], KINDS, "kind of service"),
        owner=require_text(entry, "owner", what),
        tier=_tier(entry, what),
        slo=_slo(entry, what),
    )


def _tier(entry: Node, what: str) -> int:
    node = _required(entry, "tier", what)
    if isinstance(node.value, bool) or not isinstance(node.value, int) or node.value not in _TIERS:
        raise InputError(f"the tier of {what} must be 1, 2 or 3, not {shown(node)}", where=node.where)
    return node.value


def _slo(entry: Node, what: str) -> float:
    node = _required(entry, "slo", what)
    value = node.value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 100:
        raise InputError(
            f"the slo of {what} must be a percentage below 100, not {shown(node)}", where=node.where
        )
    return value


def _required(entry: Node, key: str, what: str) -> Node:
    if key not in entry.mapping:
        raise InputError(f"{what} has no '{key}'", where=entry.where, fix=f"add '{key}:'")
    return entry.mapping[key]

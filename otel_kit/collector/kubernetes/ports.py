"""The ports of a config: where it listens for others, and where it sends."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from otel_kit.collector.catalogue import find
from otel_kit.collector.model import Component, Config, Kind
from otel_kit.collector.spec import Spec
from otel_kit.errors import InputError

__all__ = ["Port", "listening", "remote_ports"]

_SCHEMES = {"https": 443, "http": 80}
_NEVER_OPEN = ("127.0.0.1", "localhost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A port that others can reach. `purpose`: data, health, metrics."""

    name: str
    number: int
    purpose: str


def listening(spec: Spec, config: Config) -> Iterator[Port]:
    """The ports that are open to others than the pod itself."""
    for component in config.components:
        entry = find(spec.collector.version, [component.kind], component.type)
        for endpoint in entry.endpoints if entry else ():
            host, _, port = str(_at(component.config, endpoint.path) or "").rpartition(":")
            if port.isdigit() and host not in _NEVER_OPEN:
                purpose = "data" if component.kind is Kind.RECEIVER else "health"
                yield Port(name=endpoint.name, number=int(port), purpose=purpose)
    for reader in config.telemetry.get("metrics", {}).get("readers", ()):
        if number := _at(reader, ("pull", "exporter", "prometheus", "port")):
            yield Port(name="metrics", number=int(number), purpose="metrics")


def remote_ports(spec: Spec, config: Config) -> list[int]:
    """Ports outside the collectors' namespace that exporters send to.

    Raises:
        InputError: an address from which no port can be read.
    """
    return sorted({p for c in config.of(Kind.EXPORTER) for a in _addresses(c) for p in _port(a, c, spec)})


def _addresses(component: Component) -> Iterator[str]:
    """Where an exporter sends; kafka has several brokers, each to be reached."""
    brokers = component.config.get("brokers", ["localhost:9092"]) if component.type == "kafka" else []
    yield from map(str, brokers if isinstance(brokers, (list, tuple)) else [brokers])
    yield str(component.config.get("endpoint") or "")


def _port(address: str, component: Component, spec: Spec) -> Iterator[int]:
    text = re.sub(r"\$\{[^}]*\}", "x", address)
    if not text or text.startswith("dns:///"):
        return
    default = 9092 if component.type == "kafka" else 443
    try:
        parts = urlsplit(text if "://" in text else f"//{text}")
        yield parts.port or _SCHEMES.get(parts.scheme, default)
    except ValueError:
        line = next((e.where for e in spec.extra if e.component == component.id), spec.source)
        raise InputError(
            f"no port can be read from the address {address!r} of '{component.id}'",
            where=line,
            fix="write it as a number from 1 to 65535: the network policy names it",
        ) from None


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value

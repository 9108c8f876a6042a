"""Names of gRPC as the semantic conventions have them: status codes, addresses, services behind hosts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

__all__ = ["CANCELLED", "DEADLINE", "OK", "address", "code_name", "host_and_port", "peer_service", "text"]

OK: Final = "OK"
CANCELLED: Final = "CANCELLED"
DEADLINE: Final = "DEADLINE_EXCEEDED"
_SCHEMES: Final = frozenset({"dns", "ipv4", "ipv6", "passthrough", "xds"})
_CODES: Final = (
    OK,
    CANCELLED,
    "UNKNOWN",
    "INVALID_ARGUMENT",
    DEADLINE,
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
)

#: The last that grpc.aio takes as a number.
_LAST: Final = _CODES.index("DATA_LOSS")


def code_name(code: Any) -> str | None:
    """``NOT_FOUND`` from a ``grpc.StatusCode`` or the number that grpc.aio uses; None for None."""
    if code is None:
        return None
    if isinstance(code, int):
        return _CODES[code] if 0 <= code <= _LAST else "UNKNOWN"
    name = getattr(code, "name", None)
    return name if name in _CODES else "UNKNOWN"


def text(value: str | bytes) -> str:
    """A method or target, which gRPC keeps as bytes in places."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


@lru_cache(1024)
def host_and_port(target: str) -> tuple[str, int | None]:
    """Of ``host:port``, ``dns:///host:port``, ``ipv4:1.2.3.4:5``, ``unix:/run/a.sock``, or of nothing.

    What names no single host, such as a list of addresses, is given back whole, without a port.
    """
    scheme, _, rest = target.partition(":")
    if scheme == "unix":
        return rest.removeprefix("//"), None
    if "," in target:
        return target, None
    if scheme in _SCHEMES and rest:
        target = rest.rpartition("/")[2]
    elif "://" in target:
        return target, None
    host, _, port = target.rpartition(":")
    if not host or not port.isdigit() or (":" in host and not host.endswith(("]", "%5D"))):
        return target.strip("[]"), None
    return host.replace("%5B", "").replace("%5D", "").strip("[]"), int(port)


@lru_cache(1024)
def address(kind: str, target: str) -> Mapping[str, str | int]:
    """``{kind}.address`` and ``{kind}.port`` of a target or a peer."""
    host, port = host_and_port(target)
    found: dict[str, str | int] = {f"{kind}.address": host} if host else {}
    if port is not None:
        found[f"{kind}.port"] = port
    return found


def peer_service(target: str, known: Mapping[str, str]) -> str | None:
    """The service behind a target: by the settings, or by the name that Kubernetes gives it.

    Args:
        target: of a channel.
        known: service by ``host`` or ``host:port``.
    """
    host, port = host_and_port(target)
    found = known.get(f"{host}:{port}") or known.get(host)
    if found:
        return found
    labels = host.rstrip(".").split(".")
    # service.namespace.svc[.cluster.local], or pod.service.namespace.svc of a headless one
    if "svc" in labels[2:]:
        return labels[labels.index("svc", 2) - 2] or None
    return None

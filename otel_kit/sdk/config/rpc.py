"""What of gRPC is recorded, and how the services behind its channels are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from otel_kit.sdk.config.environment import Environment

__all__ = ["RpcSettings", "resolve_rpc"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcSettings:
    """Settings of gRPC.

    Attributes:
        excluded_services: full names (``pkg.Service``) whose calls are not recorded, on either side.
        peer_services: name of the service by ``host`` or ``host:port``.
    """

    excluded_services: frozenset[str]
    peer_services: Mapping[str, str]


def resolve_rpc(env: Environment) -> RpcSettings:
    """From OTEL_PYTHON_GRPC_EXCLUDED_SERVICES, OTEL_KIT_PEER_SERVICES and its older name."""
    common = env.pairs("OTEL_INSTRUMENTATION_COMMON_PEER_SERVICE_MAPPING")
    return RpcSettings(
        excluded_services=frozenset(env.words("OTEL_PYTHON_GRPC_EXCLUDED_SERVICES", ())),
        peer_services={**common, **env.pairs("OTEL_KIT_PEER_SERVICES")},
    )

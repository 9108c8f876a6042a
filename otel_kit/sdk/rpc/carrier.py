"""Trace context in gRPC metadata: the caller's, of a call that arrives, and ours, for one that leaves.

Metadata is a sequence of pairs; keys are lower-case, may repeat, and have bytes as values where they end in
``-bin``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from opentelemetry import propagate
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import Getter
from opentelemetry.trace import Link

from otel_kit.sdk.context import trust
from otel_kit.sdk.notes import fault

__all__ = ["incoming", "outgoing"]

Metadata = Iterable[tuple[str, Any]]
Carrier = dict[str, list[str]]


class _Getter(Getter[Carrier]):
    def get(self, carrier: Carrier, key: str) -> list[str] | None:
        return carrier.get(key.lower())

    def keys(self, carrier: Carrier) -> list[str]:
        return list(carrier)


_GETTER: Final = _Getter()


def incoming(metadata: Metadata | None, route: str, peer: object) -> tuple[Context, list[Link] | None]:
    """The context to serve a call in, whatever the server was started in, and the links of its span.

    Args:
        metadata: what came with the call.
        route: ``/pkg.Service/Method``.
        peer: address of the caller.
    """
    carrier: Carrier = {}
    try:
        for key, value in metadata or ():
            if type(value) is str:
                if key in carrier:
                    carrier[key].append(value)
                else:
                    carrier[key] = [value]
        found = propagate.extract(carrier, context=Context(), getter=_GETTER)
        if trust.active is None:
            return found, None
        return trust.active.parent(
            found, Context(), route=route, peer=peer, header=lambda name: carrier.get(name, (None,))[0]
        )
    except Exception:
        fault("propagator")
        return Context(), None


def outgoing(metadata: Metadata | None, context: Context) -> tuple[tuple[str, Any], ...]:
    """`metadata` with the headers of `context`, which replace those that the service passes on."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier, context)
    if not metadata:
        return tuple(carrier.items())
    return (*(pair for pair in metadata if pair[0] not in carrier), *carrier.items())

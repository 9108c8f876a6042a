"""What became of each client: instrumented or not, and why."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Final

from otel_kit.sdk.clients.catalogue import CLIENTS, OUTCOMES, Client, Outcome

__all__ = ["ClientState", "report"]

_PUBSUB: Final = "google-cloud-pubsub"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientState:
    """One client.

    Attributes:
        library: its name.
        installed: its version, or None.
        contrib: version of the contrib package, or None.
        state: ``on``; ``theirs``: the service has instrumented it; ``itself``: the library does it;
            ``waiting`` to be imported; ``off`` by the settings or without telemetry; ``absent``: not
            installed; ``missing``: the contrib package is not; ``refused``: the versions do not fit;
            ``failed``.
        why: one sentence, empty where it is on.
    """

    library: str
    installed: str | None
    contrib: str | None
    state: Outcome
    why: str = ""


def report() -> list[ClientState]:
    """All clients that could be instrumented, in a fixed order."""
    return [*(_state(client) for client in CLIENTS), _google_cloud()]


def _state(client: Client) -> ClientState:
    installed, contrib = _version(client.library), _version(client.contrib_distribution)
    state, why = OUTCOMES.get(client.name, ("off", "init() was not called in this process"))
    if installed is None:
        state, why = "absent", f"{client.library} is not installed"
    elif state == "waiting" and contrib is None:
        state, why = "missing", client.missing
    elif state == "waiting" and client.module in sys.modules:
        state, why = "failed", "it was imported, but nothing was told of it"
    return ClientState(library=client.name, installed=installed, contrib=contrib, state=state, why=why)


def _google_cloud() -> ClientState:
    """No contrib package exists for these; their calls go by gRPC, or by requests."""
    installed = _version(_PUBSUB)
    if installed is None:
        return ClientState(
            library=_PUBSUB, installed=None, contrib=None, state="absent", why="it is not installed"
        )
    why = (
        "for spans of its messages give PublisherOptions and SubscriberOptions "
        "enable_open_telemetry_tracing=True in the code, and set OTEL_PYTHON_GRPC_EXCLUDED_SERVICES="
        "google.pubsub.v1.Publisher,google.pubsub.v1.Subscriber, which would be recorded twice"
    )
    return ClientState(library=_PUBSUB, installed=installed, contrib=None, state="itself", why=why)


def _version(distribution: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(distribution)
    except PackageNotFoundError:
        return None

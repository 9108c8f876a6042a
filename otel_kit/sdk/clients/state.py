"""What became of each client: instrumented or not, and why."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import Final

from otel_kit.sdk.clients.catalogue import CLIENTS, GOOGLE, OUTCOMES, Client, Outcome

__all__ = ["ClientState", "report"]

_NO_INIT: Final = "init() was not called in this process"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientState:
    """One client.

    Attributes:
        library: its name.
        installed: its version, or None.
        contrib: version of the contrib package, or of grpcio where that is recorded, or None.
        state: ``on``; ``theirs``: the service has instrumented it; ``beneath``: recorded by the calls of
            another client that it uses; ``waiting`` to be imported; ``off`` by the settings or without
            telemetry; ``absent``: not installed; ``missing``: the contrib package is not; ``refused``: the
            versions do not fit; ``failed``.
        why: one sentence, empty where it is on; by which calls where that is so.
    """

    library: str
    installed: str | None
    contrib: str | None
    state: Outcome
    why: str = ""


def report() -> list[ClientState]:
    """All clients that could be instrumented, in a fixed order."""
    return [*map(_state, CLIENTS), *(_google(library, by) for library, by in GOOGLE.items())]


def _state(client: Client) -> ClientState:
    installed, contrib = _version(client.library), _version(client.contrib_distribution)
    state, why = OUTCOMES.get(client.name, ("off", _NO_INIT))
    if installed is None:
        state, why = "absent", f"{client.library} is not installed"
    elif contrib is None and (state == "waiting" or why == _NO_INIT):
        state, why = "missing", client.missing
        others = _dependents(client.library) if client.name == "urllib3" else []
        if others:  # most have it beneath what they call, which is recorded by itself
            state, why = "off", f"{', '.join(others)} brought it, and {client.missing} to record it by itself"
    elif state == "waiting" and client.module in sys.modules:
        state, why = "failed", "it was imported, but nothing was told of it"
    return ClientState(library=client.name, installed=installed, contrib=contrib, state=state, why=why)


def _google(library: str, by: str) -> ClientState:
    """No contrib package exists for these; their calls go by gRPC, or by requests."""
    installed = _version(library)
    if by == "grpc":
        contrib = _version("grpcio")
        state, why = OUTCOMES.get(by, ("off", _NO_INIT))
    else:
        beneath = _state(next(client for client in CLIENTS if client.name == by))
        contrib, state, why = beneath.contrib, beneath.state, beneath.why
    if installed is None:
        state, why = "absent", f"{library} is not installed"
    elif state in ("on", "theirs", "waiting"):
        state, why = "beneath", f"the calls that it makes by {by}"
    elif state != "off":
        why = f"it calls by {by}, and {why}"
    return ClientState(library=library, installed=installed, contrib=contrib, state=state, why=why)


def _dependents(library: str) -> list[str]:
    """The distributions here that need it."""
    from importlib.metadata import distributions

    needs = re.compile(rf"{library}(?![\w.-])(?!.*extra ==)", re.IGNORECASE)
    found = {dist.metadata["Name"] for dist in distributions() if any(map(needs.match, dist.requires or ()))}
    return sorted(found)


def _version(distribution: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(distribution)
    except PackageNotFoundError:
        return None

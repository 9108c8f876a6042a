"""Instruments clients of HTTP servers and databases, by contrib packages where those fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from otel_kit.sdk.clients.state import ClientState

__all__ = ["report"]


def report() -> list[ClientState]:
    """What became of each client, and why; reads the versions of what is installed, which takes a while."""
    from otel_kit.sdk.clients.state import report

    return report()

"""Takes the place of the network: keeps what the service would have sent, as the bytes of it."""

from __future__ import annotations

import threading

from otel_kit.sdk.delivery.outbox import Outcome
from otel_kit.sdk.delivery.tally import Signal

__all__ = ["Memory"]


class Memory:
    """The encoded OTLP requests of all signals, in the order in which they were sent."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: list[tuple[Signal, bytes]] = []

    def sender(self, signal: Signal) -> _Sender:
        """What stands where the sender of this signal would."""
        return _Sender(self, signal)

    def add(self, signal: Signal, body: bytes) -> None:
        """Keep one request."""
        with self._lock:
            self._requests.append((signal, body))

    def take(self) -> list[tuple[Signal, bytes]]:
        """All that came since the last call."""
        with self._lock:
            taken, self._requests = self._requests, []
        return taken


class _Sender:
    def __init__(self, memory: Memory, signal: Signal) -> None:
        self._memory = memory
        self._signal = signal

    def send(self, body: bytes, timeout: float) -> Outcome:
        del timeout
        self._memory.add(self._signal, body)
        return Outcome(verdict="delivered")

    def reset(self) -> None:
        """There is no connection to forget."""

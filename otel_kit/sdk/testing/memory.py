"""Takes the place of the network: keeps what the service would have sent, as the bytes of it."""

from __future__ import annotations

import threading
from typing import Final

from otel_kit.sdk.delivery.outbox import Outcome
from otel_kit.sdk.delivery.tally import Signal

__all__ = ["MEMORY", "Memory", "Requests"]

Requests = list[tuple[Signal, bytes]]


class Memory:
    """Hands the encoded OTLP requests of all signals to whoever listens; else nothing is kept."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: list[Requests] = []

    def sender(self, signal: Signal) -> _Sender:
        """What stands where the sender of this signal would."""
        return _Sender(self, signal)

    def add(self, signal: Signal, body: bytes) -> None:
        """Take one request."""
        with self._lock:
            for requests in self._listeners:
                requests.append((signal, body))

    def listen(self) -> Requests:
        """A list that what comes from now on is added to, in the order in which it was sent."""
        requests: Requests = []
        with self._lock:
            self._listeners.append(requests)
        return requests

    def forget(self, requests: Requests) -> None:
        """Add nothing more to this list."""
        with self._lock:
            self._listeners = [one for one in self._listeners if one is not requests]


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


#: What all signals of this process go to where it is under test.
MEMORY: Final = Memory()

"""How many requests are being answered: counted without a lock, and told when metrics are collected."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterable

from opentelemetry.metrics import CallbackOptions, Meter, Observation

__all__ = ["ActiveRequests"]


class ActiveRequests:
    """The requests that are not answered yet.

    Each is an entry of a list, whose length is their number: to add one and to take one away are single
    steps of the interpreter, also between threads, and cost a tenth of a measurement.
    """

    def __init__(self, meter: Meter) -> None:
        self._lists: dict[tuple[str, str], list[None]] = {}
        meter.create_observable_up_down_counter(
            "http.server.active_requests",
            callbacks=[self._observe],
            unit="{request}",
            description="Number of active HTTP server requests.",
        )
        # Those of the parent process are not the child's.
        forget = weakref.WeakMethod(self._forget)
        os.register_at_fork(after_in_child=lambda: (forget() or _nothing)())

    def of(self, method: str, scheme: str) -> list[None]:
        """The list of the requests of one method and scheme, both bounded."""
        return self._lists.setdefault((method, scheme), [])

    def _observe(self, _: CallbackOptions) -> Iterable[Observation]:
        for (method, scheme), requests in list(self._lists.items()):
            if scheme not in ("ws", "wss"):  # open sockets are no requests that wait for an answer
                attributes = {"http.request.method": method, "url.scheme": scheme}
                yield Observation(len(requests), attributes)

    def _forget(self) -> None:
        for requests in self._lists.values():
            requests.clear()


def _nothing() -> None:
    """In the place of what is no more."""

"""Opens the connections of senders, and lets no process fork while one of them asks for an address.

The C library holds a lock while it resolves a name. A child that is forked at that moment has the lock but
not the thread that would release it, so it could never resolve a name again.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from typing import Final

__all__ = ["connected"]

#: Seconds that a fork waits for an answer at most; a service must not be held up by a name server.
_PATIENCE: Final = 0.1


class _Resolving:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._held = False

    def before_fork(self) -> None:
        self._held = self.lock.acquire(timeout=_PATIENCE)

    def in_parent(self) -> None:
        if self._held:
            self.lock.release()

    def in_child(self) -> None:
        self.lock = threading.Lock()


_resolving: Final = _Resolving()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_resolving.before_fork,
        after_in_parent=_resolving.in_parent,
        after_in_child=_resolving.in_child,
    )


def connected(host: str, port: int, timeout: float) -> socket.socket:
    """A TCP connection to the first address that takes it.

    Args:
        host: a name or an address.
        port: of the server.
        timeout: seconds for all addresses together.

    Raises:
        OSError: the last address's error; `socket.gaierror` where the name has none.
    """
    with _resolving.lock:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    deadline = time.monotonic() + timeout
    failed: OSError = OSError(f"no address of {host}")
    for family, kind, protocol, _, address in found:
        with contextlib.ExitStack() as unless_connected:
            connection = unless_connected.enter_context(socket.socket(family, kind, protocol))
            connection.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                connection.connect(address)
            except OSError as error:
                failed = error
                continue
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            unless_connected.pop_all()
            return connection
    raise failed

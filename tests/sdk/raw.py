"""An HTTP server of the bad kind: it does with each request what the test wants, byte by byte."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

#: Gets the socket, path and length of a request whose body has not been read.
Answer = Callable[[socket.socket, str, int], None]


@dataclass
class Raw:
    """The server; `requests` are the paths and lengths of what came."""

    port: int
    requests: list[tuple[str, int]] = field(default_factory=list)

    @property
    def env(self) -> dict[str, str]:
        """Environment that points a process at it, for traces alone."""
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.port}",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_KIT_LOGS": "stdout",
        }


@contextlib.contextmanager
def raw(answer: Answer) -> Iterator[Raw]:
    """Serve until the end of the block; a connection is closed when `answer` returns."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Raw(listening.getsockname()[1])

        def serve(client: socket.socket) -> None:
            with client, contextlib.suppress(OSError):
                head = b""
                while b"\r\n\r\n" not in head:
                    head += client.recv(1)
                length = int(head.lower().partition(b"content-length:")[2].split()[0])
                path = head.split()[1].decode()
                server.requests.append((path, length))
                answer(client, path, length)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listening.accept()
                    threading.Thread(target=serve, args=(client,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield server
        listening.shutdown(socket.SHUT_RDWR)


def take(client: socket.socket, length: int) -> None:
    """Read the body."""
    while length > 0:
        length -= len(client.recv(min(length, 65536)) or b" " * length)


def reply(client: socket.socket, status: str, body: bytes = b"", kind: str = "") -> None:
    """Answer in an orderly way."""
    header = f"content-type: {kind}\r\n" if kind else ""
    head = f"HTTP/1.1 {status}\r\n{header}content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    client.sendall(head.encode() + body)

"""Asks a sink; by a bare socket, which no peer instruments."""

from __future__ import annotations

import json
import socket

__all__ = ["ask"]


def ask(control: int, line: str) -> dict[str, int]:
    """The answer of the sink whose control port is `control` to one line; see `benchmarks.sink`."""
    with socket.create_connection(("127.0.0.1", control), 10) as connection, connection.makefile() as answers:
        connection.sendall(line.encode() + b"\n")
        answer: dict[str, int] = json.loads(answers.readline())
        return answer

"""Connections of senders: the next address where one refuses, and children that can still resolve names."""

from __future__ import annotations

import os
import socket
import threading

import pytest

from otel_kit.sdk.delivery import connect
from tests.parts import free_port


def test_a_name_has_many_addresses() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        connect.connected("localhost", server.getsockname()[1], 5.0) as connection,
    ):
        assert connection.getpeername() == server.getsockname()
    with pytest.raises(ConnectionRefusedError):
        connect.connected("localhost", free_port(), 5.0)


def test_a_child_of_a_process_that_resolves_a_name_can_do_so_too() -> None:
    resolving, done = threading.Event(), threading.Event()

    def resolve() -> None:
        with connect._resolving.lock:  # a name server that does not answer
            resolving.set()
            done.wait(30)

    thread = threading.Thread(target=resolve)
    thread.start()
    assert resolving.wait(10)
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            child = os.fork()
            if child == 0:
                with connect.connected("localhost", server.getsockname()[1], 5.0):
                    os._exit(7)
            server.settimeout(20)
            server.accept()[0].close()
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    finally:
        done.set()
        thread.join()

"""The gRPC service that is measured: ``python -m benchmarks.inside.rpc PORT``."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from typing import Any

from benchmarks.inside import peer

peer.plain_logging()
peer.set_up()

import grpc  # noqa: E402, after the peer, whatever it patches
import grpc.aio  # noqa: E402
from google.protobuf.wrappers_pb2 import StringValue  # noqa: E402

log = logging.getLogger("bench.rpc")


async def echo(request: StringValue, context: Any) -> StringValue:  # noqa: ARG001
    """A little work, one log line."""
    total = sum(i * i for i in range(50))
    log.info("echo of %s", total)
    return StringValue(value=request.value)


async def main() -> None:
    """Serve until SIGTERM."""
    server = grpc.aio.server(interceptors=peer.interceptors())
    method = grpc.unary_unary_rpc_method_handler(
        echo,
        request_deserializer=StringValue.FromString,
        response_serializer=StringValue.SerializeToString,
    )
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bench.Echo", {"Unary": method}),))
    server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}")
    await server.start()
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()
    await server.stop(0)


asyncio.run(main())

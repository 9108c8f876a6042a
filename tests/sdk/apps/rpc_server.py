"""A gRPC server of either stack (argument: sync or aio) with one method, /shop.Stock/Get, on PORT."""

from __future__ import annotations

import asyncio
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

import otel_kit


def handlers(method: Any) -> Any:
    """The generic handler of the service."""
    return grpc.method_handlers_generic_handler(
        "shop.Stock", {"Get": grpc.unary_unary_rpc_method_handler(method)}
    )


async def aio(address: str) -> None:
    """Serve by grpc.aio."""

    async def get(request: bytes, context: Any) -> bytes:
        del context
        return request

    server = grpc.aio.server()
    server.add_generic_rpc_handlers((handlers(get),))
    server.add_insecure_port(address)
    await server.start()
    await server.wait_for_termination()


def sync(address: str) -> None:
    """Serve by threads."""
    server = grpc.server(ThreadPoolExecutor(4), handlers=[handlers(lambda request, _: request)])
    server.add_insecure_port(address)
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    otel_kit.init(service="stock")
    listen = f"127.0.0.1:{os.environ['PORT']}"
    asyncio.run(aio(listen)) if sys.argv[1] == "aio" else sync(listen)

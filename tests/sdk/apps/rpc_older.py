"""Servers of both gRPC stacks that are older than `init()`: started before it, or after it.

And servers of grpc.aio with a limit of calls at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import grpc.aio

import otel_kit
from tests.sdk.apps.say import say

UNARY = grpc.unary_unary_rpc_method_handler


def get(request: bytes, _: Any) -> bytes:
    """A handler."""
    if request == b"crash":
        raise ValueError("broken")
    return request


async def aio_get(request: bytes, _: Any) -> bytes:
    """A handler."""
    return get(request, _)


def generic(service: str, handler: Any) -> Any:
    """A generic handler with one method."""
    return grpc.method_handlers_generic_handler(service, {"Get": UNARY(handler)})


class Guard(grpc.ServerInterceptor):  # type: ignore[type-arg]
    """An interceptor of the service, which refuses some calls."""

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        return UNARY(self.refuse) if "Refused" in details.method else continuation(details)

    def refuse(self, _: bytes, context: Any) -> None:
        context.abort(grpc.StatusCode.PERMISSION_DENIED, "no")


def sync_server(name: str) -> tuple[Any, int]:
    """A server of grpc."""
    server: Any = grpc.server(ThreadPoolExecutor(2), interceptors=[Guard()])
    server.add_generic_rpc_handlers((generic(f"sync.{name}", get),))
    server.add_registered_method_handlers(f"sync.{name}", {"Stub": UNARY(get)})
    return server, server.add_insecure_port("localhost:0")


def aio_server(name: str) -> tuple[Any, int]:
    """A server of grpc.aio."""
    server: Any = grpc.aio.server()
    server.add_generic_rpc_handlers((generic(f"aio.{name}", aio_get),))
    server.add_registered_method_handlers(f"aio.{name}", {"Stub": UNARY(aio_get)})
    return server, server.add_insecure_port("localhost:0")


def sync_calls(name: str, port: int) -> None:
    """One call of each kind."""
    channel: Any
    with grpc.insecure_channel(f"localhost:{port}") as channel:
        for path in ("Get", "Stub", "Refused", "Unknown"):
            for request in (b"fine", b"crash"):
                with contextlib.suppress(grpc.RpcError):
                    channel.unary_unary(f"/sync.{name}/{path}")(request)


async def aio_calls(name: str, port: int, paths: tuple[str, ...] = ("Get", "Stub", "Unknown")) -> None:
    """One call of each kind."""
    channel: Any
    async with grpc.aio.insecure_channel(f"localhost:{port}") as channel:
        for path in paths:
            for request in (b"fine", b"crash"):
                with contextlib.suppress(grpc.RpcError):
                    await channel.unary_unary(f"/aio.{name}/{path}")(request)


async def crowded() -> None:
    """A server that takes one call at a time, and refuses some before they get that far."""
    here, go = asyncio.Event(), asyncio.Event()

    async def wait(request: bytes, _: Any) -> bytes:
        here.set()
        await go.wait()
        return request

    server = grpc.aio.server(maximum_concurrent_rpcs=1)
    server.add_generic_rpc_handlers((generic("aio.Crowded", wait),))
    port = server.add_insecure_port("localhost:0")
    await server.start()
    channel: Any
    async with grpc.aio.insecure_channel(f"localhost:{port}") as channel:
        call = channel.unary_unary("/aio.Crowded/Get")
        first = asyncio.ensure_future(call(b"first"))
        await here.wait()
        for _ in range(2):
            try:
                await call(b"one too many")
            except grpc.RpcError as error:
                say(f"crowded {error.code().name}")
        go.set()
        say(f"crowded {await first!r}")
    await server.stop(None)


async def main() -> None:
    """Make servers, then init(), then call them."""
    before, after = sync_server("Before"), sync_server("After")
    aio_before, aio_after = aio_server("Before"), aio_server("After")
    before[0].start()
    await aio_before[0].start()
    otel_kit.init(service="older")
    after[0].start()
    aio_after[0].add_registered_method_handlers("aio.After", {"Late": UNARY(aio_get)})
    await aio_after[0].start()
    for name, (_, port) in (("Before", before), ("After", after)):
        await asyncio.to_thread(sync_calls, name, port)
    await aio_calls("Before", aio_before[1])
    await aio_calls("After", aio_after[1], ("Get", "Stub", "Late", "Unknown"))
    await crowded()
    for server in (before[0], after[0]):
        server.stop(None).wait()
    for server in (aio_before[0], aio_after[0]):
        await server.stop(None)
    say("all calls made")


if __name__ == "__main__":
    asyncio.run(main())

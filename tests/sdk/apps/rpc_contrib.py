"""A service that uses the instrumentation package of gRPC: `before` or `after` init(), or by `hand`."""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import grpc.aio
from opentelemetry.instrumentation.grpc import (
    GrpcAioInstrumentorClient,
    GrpcAioInstrumentorServer,
    GrpcInstrumentorClient,
    GrpcInstrumentorServer,
    aio_client_interceptors,
    aio_server_interceptor,
    client_interceptor,
    filters,
    server_interceptor,
)
from opentelemetry.instrumentation.grpc.grpcext import intercept_channel

import otel_kit
from tests.sdk.apps.say import say

# mypy: disable-error-code="no-untyped-call"
WANTED: Any = filters.negate(filters.method_name("Left"))
FILTERS: dict[str, Any] = {"filter_": WANTED}


def on_request(span: Any, request: Any) -> None:
    """A hook of the service."""
    span.set_attribute("asked", request.decode() if isinstance(request, bytes) else "a stream")


def on_response(span: Any, response: Any) -> None:
    """A hook that fails after its work."""
    span.set_attribute("answered", response.decode())
    raise RuntimeError("hook")


HOOKS: dict[str, Any] = {"request_hook": on_request, "response_hook": on_response}


def instrument() -> None:
    """All four instrumentors."""
    GrpcInstrumentorServer(**FILTERS).instrument()
    GrpcAioInstrumentorServer(**FILTERS).instrument()
    GrpcInstrumentorClient(**FILTERS).instrument(**HOOKS)
    GrpcAioInstrumentorClient(**FILTERS).instrument(**HOOKS)


def handlers(serve: Any, down: Any) -> Any:
    """Three methods, one of which a filter leaves out."""
    unary = grpc.unary_unary_rpc_method_handler(serve)
    stream = grpc.unary_stream_rpc_method_handler(down)
    return grpc.method_handlers_generic_handler("shop.Stock", {"Get": unary, "Left": unary, "List": stream})


def get(_: bytes, __: Any) -> bytes:
    """A handler."""
    return b"there"


def down(_: bytes, __: Any) -> Any:
    """A handler of a stream."""
    yield from (b"one", b"two")


async def aio_get(_: bytes, __: Any) -> bytes:
    """A handler."""
    return b"there"


async def aio_down(_: bytes, __: Any) -> Any:
    """A handler of a stream."""
    yield b"one"
    yield b"two"


def sync_main(hand: bool) -> None:
    """Serve and call grpc."""
    interceptors: Any = [server_interceptor(filter_=WANTED)] if hand else None
    server = grpc.server(ThreadPoolExecutor(2), interceptors=interceptors)
    server.add_generic_rpc_handlers((handlers(get, down),))
    port = server.add_insecure_port("localhost:0")
    server.start()
    channel: Any = grpc.insecure_channel(f"localhost:{port}")
    if hand:
        channel = intercept_channel(channel, client_interceptor(**FILTERS, **HOOKS))
    assert channel.unary_unary("/shop.Stock/Get")(b"one") == b"there"
    assert channel.unary_unary("/shop.Stock/Left")(b"one") == b"there"
    assert list(channel.unary_stream("/shop.Stock/List")(b"one")) == [b"one", b"two"]
    channel.close()
    server.stop(None).wait()


async def aio_main(hand: bool) -> None:
    """Serve and call grpc.aio."""
    interceptors: Any = [aio_server_interceptor(filter_=WANTED)] if hand else None
    server = grpc.aio.server(interceptors=interceptors)
    server.add_generic_rpc_handlers((handlers(aio_get, aio_down),))
    port = server.add_insecure_port("localhost:0")
    await server.start()
    given: Any = aio_client_interceptors(**FILTERS, **HOOKS) if hand else None
    channel: Any
    async with grpc.aio.insecure_channel(f"localhost:{port}", interceptors=given) as channel:
        assert await channel.unary_unary("/shop.Stock/Get")(b"one") == b"there"
        assert await channel.unary_unary("/shop.Stock/Left")(b"one") == b"there"
        assert [one async for one in channel.unary_stream("/shop.Stock/List")(b"one")] == [b"one", b"two"]
    await server.stop(None)


def main(when: str) -> None:
    """Run both stacks."""
    if when == "before":
        instrument()
    otel_kit.init(service="contrib")
    if when == "after":
        instrument()
    sync_main(when == "hand")
    asyncio.run(aio_main(when == "hand"))
    if when == "after":
        GrpcInstrumentorClient().uninstrument()
        GrpcInstrumentorServer().uninstrument()
        sync_main(hand=False)
    say("all calls made")


if __name__ == "__main__":
    main(sys.argv[1])

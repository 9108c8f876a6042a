"""Servers and clients of both gRPC stacks in one process: all kinds of calls, all ways to fail."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import grpc.aio

# Taken by name and before init(), as isort would have it.
from grpc import insecure_channel, server
from opentelemetry import trace

import otel_kit
from tests.sdk.apps.say import say

KINDS = {"Unary": "unary_unary", "Down": "unary_stream", "Up": "stream_unary", "Both": "stream_stream"}


def current() -> bytes:
    """The span that is current in a handler, for the caller to compare."""
    return trace.format_span_id(trace.get_current_span().get_span_context().span_id).encode()


class Speechless(Exception):  # noqa: N818
    """An error whose own text is another error."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


class Sync:
    """Handlers of grpc."""

    def Unary(self, request: bytes, context: grpc.ServicerContext) -> bytes:  # noqa: N802
        if request == b"crash":
            raise ValueError("broken")
        if request == b"speechless":
            raise Speechless
        if request == b"missing":
            context.abort(grpc.StatusCode.NOT_FOUND, "no such thing")
        if request == b"internal":
            context.set_code(grpc.StatusCode.INTERNAL)
        if request == b"slow":
            time.sleep(context.time_remaining() + 0.2)
        return current()

    def Down(self, request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:  # noqa: N802
        for number in range(1000 if request == b"long" else 3):
            yield current()
            if request == b"crash" and number == 1:
                raise ValueError("broken")
            if request == b"missing" and number == 1:
                context.abort(grpc.StatusCode.NOT_FOUND, "no such thing")
            if request == b"long":
                time.sleep(0.01)

    def Up(self, requests: Iterator[bytes], _: grpc.ServicerContext) -> bytes:  # noqa: N802
        return b"%d" % len(list(requests))

    def Both(self, requests: Iterator[bytes], _: grpc.ServicerContext) -> Iterator[bytes]:  # noqa: N802
        for _request in requests:
            yield current()


class Aio:
    """Handlers of grpc.aio; Up is a plain function, Write answers by ``context.write()``."""

    cancelled = asyncio.Event()

    async def Unary(self, request: bytes, context: Any) -> bytes:  # noqa: N802
        if request == b"crash":
            raise ValueError("broken")
        if request == b"missing":
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such thing")
        if request == b"internal":
            context.set_code(grpc.StatusCode.INTERNAL)
        if request == b"slow":
            # Holds up the loop: the caller's end of the call, which comes first, is not seen before ours.
            time.sleep(context.time_remaining() + 0.2)
        if request in (b"slow", b"endless"):
            await asyncio.sleep(30)
        return current()

    async def Down(self, request: bytes, context: Any) -> AsyncIterator[bytes]:  # noqa: N802
        for number in range(3):
            yield current()
            if request == b"crash" and number == 1:
                raise ValueError("broken")
            if request == b"missing" and number == 1:
                await context.abort(grpc.StatusCode.NOT_FOUND, "no such thing")
            if request == b"long":
                await self._until_cancelled()

    async def _until_cancelled(self) -> None:
        try:
            await asyncio.sleep(30)
        finally:
            Aio.cancelled.set()

    async def Write(self, request: bytes, context: Any) -> None:  # noqa: N802
        for _ in range(3):
            await context.write(current())
        if request == b"crash":
            raise ValueError("broken")

    def Up(self, requests: Any, _: Any) -> bytes:  # noqa: N802
        return b"%d" % len(list(requests))

    async def Both(self, requests: AsyncIterator[bytes], _: Any) -> AsyncIterator[bytes]:  # noqa: N802
        async for _request in requests:
            yield current()


def handlers(service: str, servicer: object, *, more: dict[str, str] | None = None) -> Any:
    """A generic handler that takes and gives bytes."""
    methods: dict[str, Any] = {}
    for name, kind in {**KINDS, **(more or {})}.items():
        methods[name] = getattr(grpc, f"{kind}_rpc_method_handler")(getattr(servicer, name))
    return grpc.method_handlers_generic_handler(service, methods)


def sync_calls(port: int) -> None:
    """Each kind and each way to fail, over grpc."""
    channel: Any
    with insecure_channel(f"localhost:{port}") as channel:

        def unary(request: bytes, **options: Any) -> Any:
            return channel.unary_unary("/shop.Sync/Unary")(request, **options)

        def down(request: bytes) -> Any:
            return channel.unary_stream("/shop.Sync/Down")(request)

        with trace.get_tracer("test").start_as_current_span("parent of unary"):
            unary(b"fine", metadata=(("own", "1"),))
        for request in (b"crash", b"speechless", b"missing", b"internal"):
            with contextlib.suppress(grpc.RpcError):
                unary(request)
        with contextlib.suppress(grpc.RpcError):
            unary(b"slow", timeout=1.0)
        assert channel.unary_unary("/shop.Sync/Unary").future(b"fine").result()
        assert len(set(down(b"fine"))) == 1  # one and the same span in each step
        for request in (b"crash", b"missing"):
            with contextlib.suppress(grpc.RpcError):
                list(down(request))
        stream = down(b"long")
        next(stream)
        stream.cancel()
        stream = down(b"long")
        next(stream)
        del stream  # gRPC cancels what nobody holds
        assert channel.stream_unary("/shop.Sync/Up")(iter([b"1", b"2"])) == b"2"
        assert len(set(channel.stream_stream("/shop.Sync/Both")(iter([b"1", b"2"])))) == 1
        with contextlib.suppress(grpc.RpcError):
            channel.unary_unary("/grpc.health.v1.Health/Check")(b"")
        assert channel.unary_unary("/shop.Hidden/Unary")(b"fine")
    with insecure_channel("localhost:1") as channel, contextlib.suppress(grpc.RpcError):
        channel.unary_unary("/shop.Gone/Unary")(b"")


async def aio_calls(port: int) -> None:
    """The same over grpc.aio."""
    channel: Any
    async with grpc.aio.insecure_channel(f"localhost:{port}") as channel:

        def down(request: bytes, method: str = "Down") -> Any:
            return channel.unary_stream(f"/shop.Aio/{method}")(request)

        unary = channel.unary_unary("/shop.Aio/Unary")
        with trace.get_tracer("test").start_as_current_span("parent of aio unary"):
            await unary(b"fine", metadata=(("own", "1"),))
        for request in (b"crash", b"missing", b"internal"):
            with contextlib.suppress(grpc.RpcError):
                await unary(request)
        with contextlib.suppress(grpc.RpcError):
            await unary(b"slow", timeout=1.0)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(unary(b"endless"), 1.0)
        assert len({r async for r in down(b"fine")}) == 1
        assert len({r async for r in down(b"fine", "Write")}) == 1
        for request, method in ((b"crash", "Down"), (b"missing", "Down"), (b"crash", "Write")):
            with contextlib.suppress(grpc.RpcError):
                _ = [r async for r in down(request, method)]
        stream = down(b"long")
        await stream.read()
        stream.cancel()
        left = down(b"long")
        await leave(left)
        up = channel.stream_unary("/shop.Aio/Up")
        assert await up(iter([b"1", b"2"])) == b"2"
        both = channel.stream_stream("/shop.Aio/Both")
        assert len({r async for r in both(iter([b"1", b"2"]))}) == 1
        await Aio.cancelled.wait()


async def leave(stream: Any) -> None:
    """Take one message and no more."""
    async for _ in stream:
        return


async def aio_main() -> None:
    """Serve and call grpc.aio."""
    # A service's own interceptors, given by position, stay.
    aio = grpc.aio.server(ThreadPoolExecutor(2), None, [Counting()])
    aio.add_generic_rpc_handlers((handlers("shop.Aio", Aio(), more={"Write": "unary_stream"}),))
    port = aio.add_insecure_port("localhost:0")
    await aio.start()
    await aio_calls(port)
    await aio.stop(None)
    assert Counting.seen > 10


class Counting(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]
    """An interceptor of the service."""

    seen = 0

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        Counting.seen += 1
        return await continuation(handler_call_details)


def main() -> None:
    """Run all calls, then end normally."""
    otel_kit.init(service="rpc")
    otel_kit.init(service="rpc")  # twice is once
    workers = ThreadPoolExecutor(8)
    sync = server(workers)
    sync.add_generic_rpc_handlers((handlers("shop.Sync", Sync()), handlers("shop.Hidden", Sync())))
    port = sync.add_insecure_port("localhost:0")
    sync.start()
    sync_calls(port)
    sync.stop(None).wait()
    workers.shutdown()  # waits for the handlers whose callers are gone
    asyncio.run(aio_main())
    say("all calls made")


if __name__ == "__main__":
    main()

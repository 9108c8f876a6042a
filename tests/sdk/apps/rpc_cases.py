"""Calls of both gRPC stacks that go wrong, or right, in unusual ways: one method a case.

Channels and stubs are made before `init()`. Each case is a method of ``shop.Sync`` or ``shop.Aio`` of
`rpc_services`.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import grpc.aio
from opentelemetry import trace

import otel_kit
from tests.parts import free_port
from tests.sdk.apps.rpc_services import (
    Aio,
    AioGuard,
    Guard,
    Sync,
    arrived,
    data,
    handlers,
    note,
    seen,
    text,
)
from tests.sdk.apps.say import say

RETRY = json.dumps(
    {
        "methodConfig": [
            {
                "name": [{"service": "shop.Sync"}, {"service": "shop.Aio"}],
                "retryPolicy": {
                    "maxAttempts": 4,
                    "initialBackoff": "0.01s",
                    "maxBackoff": "0.02s",
                    "backoffMultiplier": 1,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ]
    }
)


def quiet(make: Callable[[], Any]) -> str:
    """The status of a call, or the class of what it raised."""
    try:
        make()
    except grpc.RpcError as error:
        return str(error.code().name)
    except BaseException as error:
        return type(error).__name__
    return "OK"


class Order(
    grpc.UnaryUnaryClientInterceptor,  # type: ignore[type-arg]
    grpc.UnaryStreamClientInterceptor,  # type: ignore[type-arg]
):
    """An interceptor of the service; two of them say in which order they run."""

    def __init__(self, name: str) -> None:
        self.name = name

    def _run(self, continuation: Any, details: Any, request: Any) -> Any:
        note(f"sync {self.name} {trace.get_current_span().get_span_context().is_valid}")
        return continuation(details, request)

    intercept_unary_unary: Any = _run
    intercept_unary_stream: Any = _run


class AioOrder(grpc.aio.UnaryUnaryClientInterceptor):  # type: ignore[type-arg]
    """The same for grpc.aio."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        note(f"aio {self.name} {trace.get_current_span().get_span_context().is_valid}")
        return await continuation(details, request)


class AioStreamOrder(grpc.aio.UnaryStreamClientInterceptor):  # type: ignore[type-arg]
    """One for streams."""

    async def intercept_unary_stream(self, continuation: Any, details: Any, request: Any) -> Any:
        call = await continuation(details, request)
        if str(details.method).endswith("/down_left"):
            return (response async for response in call)
        return call


def torn() -> Iterator[str]:
    """Requests that fail."""
    yield "one"
    raise ValueError("torn")


async def torn_later() -> AsyncIterator[str]:
    """Requests that fail once the first is there."""
    yield "one"
    await arrived.wait()
    raise ValueError("torn")


def stub(channel: Any, service: str) -> Callable[[str], Any]:
    """A stub's methods by name."""
    kinds = {"down": "unary_stream", "up": "stream_unary", "both": "stream_stream"}

    def method(name: str) -> Any:
        kind = kinds.get(name.partition("_")[0], "unary_unary")
        return getattr(channel, kind)(f"/shop.{service}/{name}", data, text)

    return method


def sync_calls(call: Callable[[str], Any], raw: Any, secure: Any, unix: Any) -> None:
    """All cases of grpc."""
    for name in ("status", "code_then_crash", "no_response", "retried", "refused", "broken"):
        note(f"sync {name} {quiet(lambda name=name: call(name)('x'))}")  # type: ignore[misc]
    note(f"sync undecodable {quiet(lambda: raw.unary_unary('/shop.Sync/gone')(bytes([255])))}")
    for number in range(3):
        path = f"/shop.Sync/unknown{number}"
        note(f"sync unknown {quiet(lambda path=path: raw.unary_unary(path)(b''))}")  # type: ignore[misc]
    response, ended = call("context").with_call("x", metadata=[("blob-bin", b"\xff\x00")])
    note(f"sync with_call {len(response)} {ended.code()} {dict(ended.trailing_metadata())}")
    wrong = quiet(lambda: call("context")("x", metadata=[("name", "caf\xe9\n")]))
    note(f"sync wrong metadata {wrong}")
    future = call("slow").future("x")
    done = threading.Event()
    future.add_done_callback(lambda _: done.set())
    Sync.entered.wait(10)
    future.cancel()
    note(f"sync future {done.wait(5)} {future.cancelled()} {quiet(future.result)}")
    note(f"sync deadline {quiet(lambda: call('slow')('x', timeout=1.0))}")
    note(f"sync ready {quiet(lambda: call('gone')('x', timeout=0.1, wait_for_ready=True))}")
    for name in ("down_bad", "down_first"):
        note(f"sync {name} {quiet(lambda name=name: list(call(name)('x')))}")  # type: ignore[misc]
    note(f"sync down_list {list(call('down_list')('x'))}")
    note(f"sync both_half {list(call('both_half')(iter(['a', 'b'])))}")
    note(f"sync up_torn {quiet(lambda: call('up_torn')(torn()))}")
    for channel, name in ((secure, "secure"), (unix, "unix")):
        note(f"sync {name} {list(stub(channel, 'Sync')('down_list')('x'))}")
    ordered = grpc.intercept_channel(raw, Order("outer"), Order("inner"))
    list(stub(ordered, "Sync")("down_list")("x"))
    with grpc.insecure_channel(f"localhost:{free_port()}") as dead:
        note(f"sync dead {quiet(lambda: stub(dead, 'Sync')('gone')('x', timeout=0.2, wait_for_ready=True))}")
        note(f"sync absent {quiet(lambda: stub(dead, 'Sync')('gone')('x'))}")
    note(f"sync current {trace.get_current_span().get_span_context().is_valid}")


async def aio_quiet(call: Any) -> str:
    """The status of a call, or the class of what it raised."""
    try:
        await call
    except grpc.RpcError as error:
        return str(error.code().name)
    except BaseException as error:
        return type(error).__name__
    return "OK"


async def listed(stream: Any) -> list[str]:
    """All responses."""
    return [response async for response in stream]


async def aio_calls(call: Callable[[str], Any], raw: Any, ordered: Any) -> None:
    """All cases of grpc.aio."""
    for name in ("status", "code_then_crash", "no_response", "retried", "refused", "broken", "swallowed"):
        note(f"aio {name} {await aio_quiet(call(name)('x'))}")
    note(f"aio undecodable {await aio_quiet(raw.unary_unary('/shop.Aio/gone')(bytes([255])))}")
    note(f"aio unknown {await aio_quiet(raw.unary_unary('/shop.Aio/unknown')(b''))}")
    made = call("context")("x", metadata=(("blob-bin", b"\xff\x00"),), timeout=30)
    note(f"aio call {type(made).__name__} {0 < made.time_remaining() <= 30}")
    note(f"aio answer {len(await made)} {await made.code()} {dict(await made.trailing_metadata())}")
    cancelled = call("slow")("x")
    await asyncio.sleep(0.05)
    note(f"aio cancel {cancelled.cancel()} {await aio_quiet(cancelled)} {cancelled.cancelled()}")
    note(f"aio deadline {await aio_quiet(call('slow')('x', timeout=0.1))}")
    note(f"aio wait_for {await aio_quiet(asyncio.wait_for(call('slow')('x'), 0.1))}")
    for what in ("abort", "code", "crash", "fine"):
        note(f"aio plain {await aio_quiet(call('plain')(what))}")
    for name in ("down_bad", "down_first"):
        note(f"aio {name} {await aio_quiet(listed(call(name)('x')))}")
    note(f"aio down_plain {await listed(call('down_plain')('x'))}")
    half = call("both_half")()
    await half.write("a")
    await half.write("b")
    await half.done_writing()
    note(f"aio both_half {[await half.read() for _ in range(3)]} {await half.code()}")
    note(f"aio up_torn {await aio_quiet(call('up_torn')(torn_later()))}")
    async for _ in stub(ordered, "Aio")("down_left")("x"):
        break
    for channel in (raw, ordered):
        note(f"aio down_resumed {await resumed(stub(channel, 'Aio')('down_resumed')('x'))}")
    await stub(ordered, "Aio")("plain")("fine")
    async with grpc.aio.insecure_channel(f"localhost:{free_port()}") as dead:
        waiting = stub(dead, "Aio")("gone")("x", timeout=0.2, wait_for_ready=True)
        note(f"aio dead {await aio_quiet(waiting)}")
        note(f"aio absent {await aio_quiet(stub(dead, 'Aio')('gone')('x'))}")


async def resumed(call: Any) -> list[str]:
    """Leave a stream, and take it up again."""
    async for _ in call:
        break
    await asyncio.sleep(0)
    return [response async for response in call]


async def aio_main(port: int) -> None:
    """Serve and call grpc.aio; the channels are older than `init()`."""
    target = f"localhost:{port}"
    raw = grpc.aio.insecure_channel(target)
    retrying = grpc.aio.insecure_channel(target, [("grpc.service_config", RETRY)])
    interceptors: list[Any] = [AioOrder("outer"), AioOrder("inner"), AioStreamOrder()]
    ordered = grpc.aio.insecure_channel(target, None, None, interceptors)
    call = stub(retrying, "Aio")
    older = call("retried")
    otel_kit.init(service="cases")
    server = grpc.aio.server(ThreadPoolExecutor(2), interceptors=[AioGuard()])
    server.add_generic_rpc_handlers((handlers("shop.Aio", Aio()),))
    server.add_insecure_port(target)
    await server.start()
    await aio_calls(lambda name: older if name == "retried" else call(name), raw, ordered)
    stopped = asyncio.ensure_future(aio_quiet(call("gone")("x")))
    await asyncio.sleep(0.1)
    await server.stop(0.1)
    note(f"aio stopped {await stopped}")
    for channel in (raw, retrying, ordered):
        await channel.close(None)


def sync_main(port: int, path: str) -> None:
    """Serve and call grpc."""
    target = f"localhost:{port}"
    secure_port = free_port()
    raw = grpc.insecure_channel(target)
    retrying = grpc.insecure_channel(target, [("grpc.service_config", RETRY)])
    secure = grpc.secure_channel(f"localhost:{secure_port}", grpc.local_channel_credentials())
    unix = grpc.insecure_channel(f"unix:{path}")
    call = stub(retrying, "Sync")
    older = call("retried")
    otel_kit.init(service="cases")
    server = grpc.server(ThreadPoolExecutor(4), None, [Guard()])
    server.add_generic_rpc_handlers((handlers("shop.Sync", Sync()),))
    server.add_insecure_port(target)
    server.add_insecure_port(f"unix:{path}")
    server.add_secure_port(f"localhost:{secure_port}", grpc.local_server_credentials())
    server.start()
    sync_calls(lambda name: older if name == "retried" else call(name), raw, secure, unix)
    stopped = call("gone").future("x")
    time.sleep(0.1)
    server.stop(0.1).wait()
    note(f"sync stopped {quiet(stopped.result)}")
    for channel in (raw, retrying, secure, unix):
        channel.close()


def crowded_main(port: int) -> None:
    """A server of grpc that takes one call at a time."""
    server = grpc.server(ThreadPoolExecutor(1), maximum_concurrent_rpcs=1)
    server.add_generic_rpc_handlers((handlers("shop.Crowded", Sync()),))
    server.add_insecure_port(f"localhost:{port}")
    server.start()
    with grpc.insecure_channel(f"localhost:{port}") as channel:
        call = stub(channel, "Crowded")
        first = call("down_wait")("x")
        note(f"sync crowded {next(first)} {quiet(lambda: call('gone')('x'))}")
        first.cancel()
    server.stop(None).wait()


def main(path: str) -> None:
    """Run all cases."""
    sync_main(free_port(), path)
    crowded_main(free_port())
    asyncio.run(aio_main(free_port()))
    say("\n".join(seen))
    say("all cases run")


if __name__ == "__main__":
    import sys

    main(sys.argv[1])

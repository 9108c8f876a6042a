"""Calls of both gRPC stacks that go wrong, or right, in unusual ways: one method a case.

Channels and stubs are made before `init()`. Each case is a method of ``shop.Sync`` or ``shop.Aio``.
"""

from __future__ import annotations

import asyncio
import contextlib
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
EOF: Any = grpc.aio.EOF  # type: ignore[attr-defined]
seen: list[str] = []
#: The handler of a torn stream has its first request.
arrived = asyncio.Event()


def note(words: str) -> None:
    """Keep what the test shall read."""
    seen.append(words)


def quiet(make: Callable[[], Any]) -> str:
    """The status of a call, or the class of what it raised."""
    try:
        make()
    except grpc.RpcError as error:
        return str(error.code().name)
    except BaseException as error:
        return type(error).__name__
    return "OK"


def text(data: bytes) -> str:
    """A deserializer that refuses what is no text."""
    return data.decode()


def data(message: str | bytes) -> bytes:
    """A serializer that refuses what is no text; grpc.aio itself makes bytes of one."""
    return message if isinstance(message, bytes) else message.encode()


class Refused(grpc.Status):
    """For ``abort_with_status``."""

    code = grpc.StatusCode.FAILED_PRECONDITION
    details = "not now"
    trailing_metadata = (("why", "not now"),)


class Sync:
    """Handlers of grpc; each is a case."""

    tries = 0
    entered = threading.Event()

    def status(self, _: str, context: grpc.ServicerContext) -> str:
        context.abort_with_status(Refused())
        return ""

    def code_then_crash(self, _: str, context: grpc.ServicerContext) -> str:
        context.set_code(grpc.StatusCode.DATA_LOSS)
        raise KeyError("lost")

    def no_response(self, _: str, __: grpc.ServicerContext) -> str:
        return None  # type: ignore[return-value]

    def retried(self, _: str, context: grpc.ServicerContext) -> str:
        Sync.tries += 1
        if Sync.tries < 3:
            context.abort(grpc.StatusCode.UNAVAILABLE, "once more")
        return "at last"

    def context(self, _: str, context: grpc.ServicerContext) -> str:
        context.set_compression(grpc.Compression.Gzip)
        context.disable_next_message_compression()
        context.send_initial_metadata((("first", "1"),))
        context.set_trailing_metadata((("last", "2"),))
        note(f"sync context {type(context).__module__}.{type(context).__name__}")
        note(f"sync metadata {dict(context.invocation_metadata())['blob-bin']!r}")
        return "x" * 1000

    def slow(self, _: str, context: grpc.ServicerContext) -> str:
        Sync.entered.set()
        while context.is_active():
            time.sleep(0.01)
        return ""

    def refused(self, _: str, __: grpc.ServicerContext) -> str:
        return "never"

    def gone(self, _: str, context: grpc.ServicerContext) -> str:
        return self.slow(_, context)

    def down_bad(self, _: str, __: grpc.ServicerContext) -> Iterator[str]:
        yield "one"
        yield 2  # type: ignore[misc]

    def down_first(self, _: str, __: grpc.ServicerContext) -> Iterator[str]:
        raise ValueError("at once")
        yield ""

    def down_list(self, _: str, __: grpc.ServicerContext) -> Iterator[str]:
        return iter(["a", "b", "c"])

    def down_wait(self, _: str, context: grpc.ServicerContext) -> Iterator[str]:
        yield "here"
        self.slow(_, context)

    def both_half(self, requests: Iterator[str], _: grpc.ServicerContext) -> Iterator[str]:
        yield from list(requests)
        yield "after the end"

    def up_torn(self, requests: Iterator[str], _: grpc.ServicerContext) -> str:
        return "".join(requests)


class Aio:
    """Handlers of grpc.aio; each is a case."""

    tries = 0

    async def status(self, _: str, context: Any) -> str:
        await context.abort_with_status(Refused())
        return ""

    async def code_then_crash(self, _: str, context: Any) -> str:
        context.set_code(grpc.StatusCode.DATA_LOSS)
        raise KeyError("lost")

    async def no_response(self, _: str, __: Any) -> str:
        return None  # type: ignore[return-value]

    async def retried(self, _: str, context: Any) -> str:
        Aio.tries += 1
        if Aio.tries < 3:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "once more")
        return "at last"

    async def context(self, _: str, context: Any) -> str:
        context.set_compression(grpc.Compression.Gzip)
        context.disable_next_message_compression()
        await context.send_initial_metadata((("first", "1"),))
        context.set_trailing_metadata((("last", "2"),))
        note(f"aio context {type(context).__module__}.{type(context).__name__}")
        note(f"aio metadata {dict(context.invocation_metadata())['blob-bin']!r}")
        return "x" * 1000

    async def slow(self, _: str, __: Any) -> str:
        await asyncio.sleep(30)
        return ""

    async def refused(self, _: str, __: Any) -> str:
        return "never"

    async def gone(self, _: str, __: Any) -> str:
        await asyncio.sleep(30)
        return ""

    async def swallowed(self, _: str, context: Any) -> str:
        with contextlib.suppress(grpc.aio.AbortError):
            await context.abort(grpc.StatusCode.ALREADY_EXISTS, "twice")
        return "unseen"

    def plain(self, request: str, context: Any) -> str:
        if request == "abort":
            context.abort(grpc.StatusCode.NOT_FOUND, "no such thing")
        if request == "code":
            context.set_code(grpc.StatusCode.RESOURCE_EXHAUSTED)
            context.set_details("too much")
        if request == "crash":
            raise ValueError("broken")
        note(f"plain context {context.__class__.__name__}")
        return "plain"

    def down_plain(self, _: str, __: Any) -> Iterator[str]:
        yield from "abc"

    async def down_bad(self, _: str, __: Any) -> AsyncIterator[str]:
        yield "one"
        yield 2  # type: ignore[misc]

    async def down_first(self, _: str, __: Any) -> AsyncIterator[str]:
        raise ValueError("at once")
        yield ""

    async def down_left(self, _: str, __: Any) -> AsyncIterator[str]:
        while True:
            yield "more"
            await asyncio.sleep(0.01)

    async def down_resumed(self, _: str, __: Any) -> AsyncIterator[str]:
        for letter in "abc":
            yield letter

    async def both_half(self, _: Any, context: Any) -> None:
        while (request := await context.read()) is not EOF:
            await context.write(request)
        await context.write("after the end")

    async def up_torn(self, requests: AsyncIterator[str], _: Any) -> str:
        async for _ in requests:
            arrived.set()
            await asyncio.sleep(30)
        return "never"


def handlers(service: str, servicer: Any) -> Any:
    """All handlers of a servicer, by the beginnings of their names."""
    kinds = {"down": "unary_stream", "up": "stream_unary", "both": "stream_stream"}
    methods = {}
    for name in (
        name for name in dir(servicer) if not name.startswith("_") and name not in ("tries", "entered")
    ):
        kind = kinds.get(name.partition("_")[0], "unary_unary")
        make = getattr(grpc, f"{kind}_rpc_method_handler")
        methods[name] = make(getattr(servicer, name), text, data)
    return grpc.method_handlers_generic_handler(service, methods)


class Guard(grpc.ServerInterceptor):  # type: ignore[type-arg]
    """Refuses one method by a handler of its own, and fails at another."""

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        if details.method.endswith("/refused"):
            return grpc.unary_unary_rpc_method_handler(self.refuse)
        if details.method.endswith("/broken"):
            raise RuntimeError("guard")
        return continuation(details)

    def refuse(self, _: bytes, context: Any) -> None:
        context.abort(grpc.StatusCode.UNAUTHENTICATED, "who are you?")


class AioGuard(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]
    """The same for grpc.aio."""

    async def intercept_service(self, continuation: Any, details: Any) -> Any:
        if details.method.endswith("/refused"):
            return grpc.unary_unary_rpc_method_handler(self.refuse)
        if details.method.endswith("/broken"):
            raise RuntimeError("guard")
        return await continuation(details)

    async def refuse(self, _: bytes, context: Any) -> None:
        await context.abort(grpc.StatusCode.UNAUTHENTICATED, "who are you?")


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
    print("\n".join(seen))  # noqa: T201
    print("all cases run")  # noqa: T201


if __name__ == "__main__":
    import sys

    main(sys.argv[1])

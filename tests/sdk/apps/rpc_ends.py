"""Handlers of both gRPC stacks that end in ways which gRPC allows and nobody means; one method each."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import grpc.aio
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

import otel_kit
from tests.sdk.apps.say import say

INVENTED = 300
#: A plain function of grpc.aio runs; the task of its call is done.
entered, over = threading.Event(), threading.Event()


class Ends(SpanProcessor):
    """Knows which spans have ended: some of these handlers leave their callers without an answer."""

    def __init__(self) -> None:
        self.served: set[str] = set()
        self.changed = threading.Event()

    def on_end(self, span: ReadableSpan) -> None:
        if span.kind is trace.SpanKind.SERVER:
            self.served.add(span.name)
            self.changed.set()

    def wait(self, method: str) -> None:
        """Return when a call of that method has been served."""
        while method not in self.served:
            self.changed.wait(30)
            self.changed.clear()


class Sync:
    """Handlers of grpc."""

    def own_cancel(self, _: bytes, __: Any) -> bytes:
        raise asyncio.CancelledError

    def exit(self, _: bytes, __: Any) -> bytes:
        raise SystemExit(3)

    def number(self, _: bytes, context: Any) -> bytes:
        context.set_code(5)
        return b""

    def refused_by_error(self, _: bytes, context: Any) -> bytes:
        context.set_code(grpc.StatusCode.NOT_FOUND)
        raise LookupError("none")

    def nothing(self, _: bytes, __: Any) -> bytes:
        return None  # type: ignore[return-value]

    def down_none(self, _: bytes, __: Any) -> Iterator[bytes | None]:
        yield b"one"
        yield None
        yield b"never"

    def down_called(self, _: bytes, __: Any) -> Any:
        raise ValueError("at the call")

    def down_exit(self, _: bytes, __: Any) -> Iterator[bytes]:
        yield b"one"
        raise GeneratorExit


class Aio:
    """Handlers of grpc.aio."""

    async def own_cancel(self, _: bytes, __: Any) -> bytes:
        task = asyncio.ensure_future(asyncio.sleep(30))
        task.cancel()
        await task
        return b""

    async def number(self, _: bytes, context: Any) -> bytes:
        context.set_code(5)
        return b""

    async def refused_by_error(self, _: bytes, context: Any) -> bytes:
        context.set_code(grpc.StatusCode.NOT_FOUND)
        raise LookupError("none")

    async def wrong(self, _: bytes, __: Any) -> bytes:
        return 5  # type: ignore[return-value]

    async def down_swallowed(self, _: bytes, context: Any) -> AsyncIterator[bytes]:
        with contextlib.suppress(grpc.aio.AbortError):
            await context.abort(grpc.StatusCode.ALREADY_EXISTS, "twice")
        yield b"unseen"

    async def down_both(self, _: bytes, context: Any) -> AsyncIterator[bytes]:
        await context.write(b"written")
        yield b"yielded"

    async def down_write(self, _: bytes, context: Any) -> None:
        with contextlib.suppress(TypeError):
            await context.write(5)
        await context.write(b"better")

    def plain_wrong(self, _: bytes, __: Any) -> bytes:
        return 5  # type: ignore[return-value]

    def plain_left(self, _: bytes, __: Any) -> bytes:
        entered.set()
        over.wait(30)
        return b"unseen"

    def down_plain_wrong(self, _: bytes, __: Any) -> Iterator[Any]:
        yield b"one"
        yield 5

    def down_plain_list(self, _: bytes, __: Any) -> Any:
        return [b"one", b"two"]


class Guard(grpc.ServerInterceptor):  # type: ignore[type-arg]
    """Refuses whatever it does not know, by a handler of its own or by an error."""

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        if details.method.startswith("/made.up/"):
            if details.method.endswith("1"):
                raise PermissionError("no")
            return grpc.unary_unary_rpc_method_handler(self.refuse)
        return continuation(details)

    def refuse(self, _: bytes, context: Any) -> None:
        context.abort(grpc.StatusCode.UNAUTHENTICATED, "who are you?")


def watched(request: bytes) -> bytes:
    """A deserializer, which runs in the task of the call."""
    task = asyncio.current_task()
    if task is not None:
        task.add_done_callback(lambda _: over.set())
    return request


def handlers(service: str, servicer: Any) -> tuple[Any, list[str]]:
    """A generic handler, and the names of its methods."""
    names = [name for name in dir(servicer) if not name.startswith("_")]
    unary, stream = grpc.unary_unary_rpc_method_handler, grpc.unary_stream_rpc_method_handler
    made = {name: (stream if name.startswith("down") else unary)(getattr(servicer, name)) for name in names}
    if "plain_left" in made:
        made["plain_left"] = unary(servicer.plain_left, request_deserializer=watched)
    return grpc.method_handlers_generic_handler(service, made), names


def told(error: BaseException) -> str:
    """What a caller sees."""
    return error.code().name if isinstance(error, grpc.RpcError) else type(error).__name__


def sync_main(ends: Ends) -> None:
    """Serve and call grpc."""
    generic, names = handlers("ends.Sync", Sync())
    server = grpc.server(ThreadPoolExecutor(4), interceptors=[Guard()])
    server.add_generic_rpc_handlers((generic,))
    port = server.add_insecure_port("localhost:0")
    server.start()
    channel: Any
    with grpc.insecure_channel(f"localhost:{port}") as channel:
        for name in names:
            path = f"/ends.Sync/{name}"
            down = name.startswith("down")
            call = channel.unary_stream(path)(b"") if down else channel.unary_unary(path).future(b"")
            ends.wait(path[1:])
            if name in ("own_cancel", "exit", "down_exit"):
                call.cancel()
            seen = _outcome(functools.partial(list, call) if down else call.result)
            say(f"sync {name} {seen}")
        for number in range(INVENTED):
            _outcome(functools.partial(channel.unary_unary(f"/made.up/{number}"), b""))
    server.stop(None).wait()


def _outcome(make: Callable[[], Any]) -> str:
    try:
        return repr(make())
    except BaseException as error:
        return told(error)


async def aio_main(ends: Ends) -> None:
    """Serve and call grpc.aio."""
    generic, names = handlers("ends.Aio", Aio())
    server = grpc.aio.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((generic,))
    port = server.add_insecure_port("localhost:0")
    await server.start()
    channel: Any
    async with grpc.aio.insecure_channel(f"localhost:{port}") as channel:
        for name in names:
            path = f"/ends.Aio/{name}"
            down = name.startswith("down")
            call = (channel.unary_stream if down else channel.unary_unary)(path)(b"")
            seen = asyncio.ensure_future(_listed(call) if down else _awaited(call))
            if name == "plain_left":
                await asyncio.to_thread(entered.wait, 30)
                call.cancel()
            await asyncio.to_thread(ends.wait, path[1:])
            if name == "own_cancel":
                call.cancel()
            say(f"aio {name} {await seen}")
        never_made = channel.unary_unary("/ends.Aio/never_made")(b"", metadata=(("Key", ""),))
        say(f"aio never_made {await _awaited(never_made)}")
    await server.stop(None)


async def _awaited(call: Any) -> str:
    try:
        return repr(await call)
    except BaseException as error:
        return told(error)


async def _listed(call: Any) -> str:
    try:
        return repr([response async for response in call])
    except BaseException as error:
        return told(error)


def main() -> None:
    """Run both stacks."""
    otel_kit.init(service="ends")
    ends = Ends()
    provider: Any = trace.get_tracer_provider()
    provider.add_span_processor(ends)
    sync_main(ends)
    asyncio.run(aio_main(ends))


if __name__ == "__main__":
    main()

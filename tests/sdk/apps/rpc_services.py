"""What the calls of `rpc_cases` go to: services of both gRPC stacks, one method a case."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc
import grpc.aio

EOF: Any = grpc.aio.EOF  # type: ignore[attr-defined]
seen: list[str] = []
#: The handler of a torn stream has its first request.
arrived = asyncio.Event()


def note(words: str) -> None:
    """Keep what the test shall read."""
    seen.append(words)


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

"""gRPC where what is around our recording fails: propagators, processors, filters, hooks, gRPC's names."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import grpc.aio
from opentelemetry import propagate, trace
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.sdk.trace import SpanProcessor

import otel_kit
from tests.sdk.apps.say import say

ROUNDS = 20
HOSTILE: list[Any] = [
    ("traceparent", "00-zz"),
    ("traceparent", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"),
    ("tracestate", ",".join(f"k{n}=v" for n in range(200))),
    ("baggage", "=;=,," * 50),
    ("blob-bin", bytes(range(256))),
]


class Failing(TextMapPropagator):
    """A propagator of the service."""

    def extract(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("extract")

    def inject(self, *_: Any, **__: Any) -> None:
        raise RuntimeError("inject")

    @property
    def fields(self) -> set[str]:
        raise RuntimeError("fields")


class FailingProcessor(SpanProcessor):
    """A processor of the service."""

    def on_start(self, *_: Any, **__: Any) -> None:
        raise RuntimeError("on_start")

    def on_end(self, *_: Any, **__: Any) -> None:
        raise RuntimeError("on_end")


def fail(*_: Any) -> Any:
    """A hook or a filter of the service."""
    raise RuntimeError("hook")


def unary(request: bytes, context: Any) -> bytes:
    """A handler."""
    if request == b"crash":
        raise ValueError("broken")
    if request == b"abort":
        context.abort(grpc.StatusCode.NOT_FOUND, "none")
    return request


def down(request: bytes, context: Any) -> Any:
    """A handler of a stream."""
    yield unary(request, context)
    while request == b"long" and context.is_active():
        yield b"more"


async def aio_unary(request: bytes, context: Any) -> bytes:
    """A handler."""
    if request == b"abort":
        await context.abort(grpc.StatusCode.NOT_FOUND, "none")
    return unary(request, context)


async def aio_down(request: bytes, context: Any) -> Any:
    """A handler of a stream."""
    yield await aio_unary(request, context)
    while request == b"long":
        yield b"more"
        await asyncio.sleep(0.001)


def handlers(one: Any, many: Any) -> Any:
    """A generic handler."""
    methods = {
        "One": grpc.unary_unary_rpc_method_handler(one),
        "Many": grpc.unary_stream_rpc_method_handler(many),
    }
    return grpc.method_handlers_generic_handler("shop.Stock", methods)


def told(error: BaseException) -> str:
    """What a caller sees."""
    return error.code().name if isinstance(error, grpc.RpcError) else type(error).__name__


def sync_round(channel: Any, results: Counter[str]) -> None:
    """Each kind of an end, over grpc."""
    one, many = channel.unary_unary("/shop.Stock/One"), channel.unary_stream("/shop.Stock/Many")
    for request in (b"fine", b"crash", b"abort"):
        try:
            results[f"one {one(request, metadata=HOSTILE)!r}"] += 1
        except Exception as error:
            results[f"one {told(error)}"] += 1
        try:
            results[f"many {list(many(request, metadata=HOSTILE))!r}"] += 1
        except Exception as error:
            results[f"many {told(error)}"] += 1
    try:
        channel.unary_unary("/shop." + "x" * 5000 + "/" + "y" * 2000)(b"")
    except Exception as error:
        results[f"unknown {told(error)}"] += 1
    stream = many(b"long")
    next(stream)
    del stream
    future = one.future(b"fine")
    results[f"future {future.result()!r}"] += 1
    one.future(b"fine").cancel()


async def aio_round(channel: Any, results: Counter[str]) -> None:
    """The same over grpc.aio."""
    one, many = channel.unary_unary("/shop.Stock/One"), channel.unary_stream("/shop.Stock/Many")
    for request in (b"fine", b"crash", b"abort"):
        try:
            results[f"aio one {await one(request, metadata=tuple(HOSTILE))!r}"] += 1
        except Exception as error:
            results[f"aio one {told(error)}"] += 1
        try:
            results[f"aio many {[r async for r in many(request, metadata=tuple(HOSTILE))]!r}"] += 1
        except Exception as error:
            results[f"aio many {told(error)}"] += 1
    stream = many(b"long")
    await stream.read()
    stream.cancel()
    one(b"fine").cancel()


def kept() -> int:
    """Calls that are still held by something."""
    gc.collect()
    return sum(type(thing).__name__ == "Rpc" for thing in gc.get_objects())


def sync_main(results: Counter[str]) -> None:
    """Serve and call grpc."""
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((handlers(unary, down),))
    port = server.add_insecure_port("localhost:0")
    server.start()
    with grpc.insecure_channel(f"localhost:{port}") as channel:
        for _ in range(ROUNDS):
            sync_round(channel, results)
    server.stop(None).wait()


async def aio_main(results: Counter[str]) -> None:
    """Serve and call grpc.aio."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((handlers(aio_unary, aio_down),))
    port = server.add_insecure_port("localhost:0")
    await server.start()
    channel: Any
    async with grpc.aio.insecure_channel(f"localhost:{port}") as channel:
        for _ in range(ROUNDS):
            await aio_round(channel, results)
    await server.stop(None)


def sabotage(how: str) -> None:
    """Let that fail which the service, or a version of gRPC, may make fail."""
    if how == "propagator":
        propagate.set_global_textmap(Failing())
    if how == "processor":
        provider: Any = trace.get_tracer_provider()
        provider.add_span_processor(FailingProcessor())
    if how == "hooks":
        from opentelemetry.instrumentation import grpc as theirs

        client: Any = {"request_hook": fail, "response_hook": fail}
        for kind, more in (
            (theirs.GrpcInstrumentorServer, {}),
            (theirs.GrpcAioInstrumentorServer, {}),
            (theirs.GrpcInstrumentorClient, client),
            (theirs.GrpcAioInstrumentorClient, client),
        ):
            kind(filter_=fail).instrument(**more)


def main(how: str) -> None:
    """Run all with one thing that fails."""
    if how == "names":
        import grpc._channel
        import grpc.aio._call

        del grpc._channel._SingleThreadedUnaryStreamMultiCallable
        call: Any = grpc.aio._call.UnaryUnaryCall
        made = call.__init__
        call.__init__ = lambda self, *args: made(self, *args)  # no names to go by
    otel_kit.init(service="faults")
    sabotage(how)
    results: Counter[str] = Counter()
    sync_main(results)
    asyncio.run(aio_main(results))
    for line, count in sorted(results.items()):
        say(f"{line}: {count}")
    say(f"kept: {kept()}")


if __name__ == "__main__":
    main(sys.argv[1])

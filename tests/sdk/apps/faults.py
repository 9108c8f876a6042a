"""A service whose telemetry is made to fail, at each point in turn, while it serves and calls.

One process with uvicorn, grpc, grpc.aio, logging, spans and metrics. For each function that the library calls
of itself, one round of work in which it raises; then a line of JSON: how often it raised, what the service
answered otherwise than before, what the library said.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import http.client
import io
import json
import logging
import os
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias

import grpc
import grpc.aio
import uvicorn
from opentelemetry import baggage, metrics, propagate, trace

import otel_kit
from otel_kit.sdk import notes
from tests.parts import free_port
from tests.sdk.apps.faults_service import aio_replies, aio_reply, app, handlers, replies, reply
from tests.sdk.apps.say import say
from tests.sdk.apps.traps import Injected, functions, trapped

Around: TypeAlias = tuple[dict[str, int], dict[str, Any]]
log = logging.getLogger("faults")
said: list[str] = []
logged: Counter[str] = Counter()


class Heard(logging.Handler):
    """What is logged: by the library, and by servers about errors."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.name == "otel_kit":
            said.append(record.getMessage())
        elif record.levelno >= logging.ERROR:
            logged[f"{record.name}: {str(record.msg)[:40]}"] += 1


class Errors(io.TextIOBase):
    """In the place of stderr: where the library tells that it cannot log."""

    def write(self, text: str) -> int:
        """Take a text."""
        if text.startswith("otel-kit"):
            said.append(text.strip())
        elif "Exception ignored" in text:
            logged["stderr: " + text[:40]] += 1
        return len(text)


def told(error: Exception) -> str:
    """What a caller sees of an error."""
    return error.code().name if isinstance(error, grpc.RpcError) else f"{type(error).__name__} {error}"


def web_answers(port: int) -> list[str]:
    """Of the web service."""
    answers = []
    for path in ("/items/5", "/items/x", "/sync", "/boom", "/missing", "/stream", "/items/6?token=secret"):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", path, headers={"traceparent": "00-" + "1" * 32 + "-" + "2" * 16 + "-01"})
        answer = connection.getresponse()
        answers.append(f"{path} {answer.status} {answer.read()!r}")
        connection.close()
    return answers


def rpc_answers(channel: Any) -> list[str]:
    """Of the gRPC service."""
    answers = []
    one, many = channel.unary_unary("/shop.Stock/One"), channel.unary_stream("/shop.Stock/Many")
    for request in (b"fine", b"crash", b"abort"):
        for call in (lambda r: one(r, timeout=20), lambda r: list(many(r)), lambda r: one.future(r).result()):
            try:
                answers.append(f"sync {call(request)!r}")
            except Exception as error:
                answers.append(f"sync {told(error)}")
    return answers


async def aio_answers(channel: Any) -> list[str]:
    """Of the gRPC service of asyncio."""
    answers = []
    one, many = channel.unary_unary("/shop.Stock/One"), channel.unary_stream("/shop.Stock/Many")
    for request in (b"fine", b"crash", b"abort"):
        try:
            answers.append(f"aio {await one(request)!r}")
        except Exception as error:
            answers.append(f"aio {told(error)}")
        try:
            answers.append(f"aio {[reply async for reply in many(request)]!r}")
        except Exception as error:
            answers.append(f"aio {told(error)}")
    return answers


@otel_kit.instrument
def decorated(number: int) -> int:
    """Counted by the decorator."""
    return 10 // number


def own_telemetry(mark: str) -> list[str]:
    """What the service records by the API, under a mark; what it gets back."""
    answers = []
    meter = metrics.get_meter("faults")
    with trace.get_tracer("faults").start_as_current_span("own", attributes={"mark": mark}) as span:
        span.set_attributes({"a": 1, "b": [1, 2], "url.query": "token=secret"})
        span.add_event("event", {"c": "d"})
        span.add_link(span.get_span_context())
        log.warning("own %s", mark, extra={"mark": mark, "user": "a@b.example"})
        try:
            decorated(0)
        except ZeroDivisionError as error:
            log.exception("error")
            answers.append(f"decorated {error}")
        answers.append(f"decorated {decorated(5)}")
        carrier: dict[str, str] = {}
        propagate.inject(carrier, context=baggage.set_baggage("key", "value"))
        propagate.extract(carrier)
    meter.create_counter("own.count").add(1, {"mark": mark})
    meter.create_histogram("own.time").record(0.5, {"mark": mark})
    meter.create_up_down_counter("own.level").add(1, {"mark": mark})
    return answers


async def work(around: Around, mark: str) -> list[str]:
    """One round; all that the service notices."""
    ports, channels = around
    logged.clear()
    answers = [f"own {one}" for one in own_telemetry(mark)]
    answers += await aio_answers(channels["aio"])
    answers += await asyncio.to_thread(rpc_answers, channels["sync"])
    answers += await asyncio.to_thread(web_answers, ports["web"])
    await asyncio.sleep(0)
    return [*answers, f"logged {sorted(logged.items())}"]


@contextlib.asynccontextmanager
async def serving() -> Any:
    """All servers, and channels to them."""
    port = free_port()
    web = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    task = asyncio.create_task(web.serve())
    while not web.started:
        await asyncio.sleep(0.01)
    sync_server = grpc.server(ThreadPoolExecutor(2), handlers=[handlers(reply, replies)])
    sync_port = sync_server.add_insecure_port("localhost:0")
    sync_server.start()
    aio_server = grpc.aio.server()
    aio_server.add_generic_rpc_handlers((handlers(aio_reply, aio_replies),))
    aio_port = aio_server.add_insecure_port("localhost:0")
    await aio_server.start()
    with grpc.insecure_channel(f"localhost:{sync_port}") as channel:
        async with grpc.aio.insecure_channel(f"localhost:{aio_port}") as aio_channel:
            yield {"web": port}, {"sync": channel, "aio": aio_channel}
    sync_server.stop(None).wait()
    await aio_server.stop(None)
    web.should_exit = True
    await task


async def called(around: Around) -> list[str]:
    """The functions that the library calls of itself in a round."""
    hits: Counter[str] = Counter()
    with contextlib.ExitStack() as stack:
        for function in functions().values():
            stack.enter_context(trapped(function, hits, None))
        await work(around, "counted")
        await asyncio.to_thread(otel_kit.force_flush, 5)
    return sorted(hits)


async def rounds(around: Around, error: type[BaseException]) -> None:
    """A round for each point."""
    await work(around, "warm")
    # A second is used once only, so that metrics cannot be collected in each of many rounds: first those.
    points = sorted(await called(around), key=lambda name: (".metrics." not in name, name))
    expected = await work(around, "before")
    names = functions()
    limits = [one for one in gc.get_objects() if isinstance(one, notes.RateLimit)]
    part, parts = map(int, os.environ.get("PART", "1/1").split("/"))
    for number, name in enumerate(os.environ.get("POINTS", "").split() or points[part - 1 :: parts]):
        for limit in (
            [] if "QUIET" in os.environ else limits
        ):  # what is told of this fault is not kept for the minute of the one before
            limit._next = 0.0
        result = await one_round(around, expected, f"round {number}", names[name], error)
        say(json.dumps(result))
    said.clear()
    after = await work(around, "after")
    say(json.dumps({"after": after == expected, "said": said}))


async def one_round(
    around: Around, expected: list[str], mark: str, function: Any, error: type[BaseException]
) -> dict[str, Any]:
    """The same work as before while `function` fails; what became of it."""
    hits: Counter[str] = Counter()
    said.clear()
    begin = time.monotonic()
    flushing = ""
    with trapped(function, hits, error):
        try:
            answers = await asyncio.wait_for(work(around, mark), 20)
        except Exception as raised:
            answers = [repr(raised)] * len(expected)
        try:
            await asyncio.to_thread(otel_kit.force_flush, 0.2)
        except Exception as raised:
            flushing = repr(raised)
    return {
        "point": f"{function.__module__}.{function.__qualname__}",
        "mark": mark,
        "raised": hits.total(),
        "different": [f"{was} -> {now}" for was, now in zip(expected, answers, strict=True) if was != now]
        + ([flushing] if flushing else []),
        "said": said[:5],
        "took": round(time.monotonic() - begin, 3),
    }


async def main() -> None:
    """Serve, and fail."""
    async with serving() as around:
        await rounds(around, Injected)


if __name__ == "__main__":
    otel_kit.init(service="faults", metric_interval=60)
    logging.getLogger().addHandler(Heard())
    sys.stderr = Errors()
    asyncio.run(main())
    sys.stdout.flush()

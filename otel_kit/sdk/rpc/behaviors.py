"""Handlers as they are recorded: functions, generators, coroutines and asynchronous generators.

Each wrapper begins a call, runs the handler in its context and ends it. Context is attached only while the
handler's own code runs, never across a yield. A unary response ends its call once it is serialized: until
then gRPC may still turn it into an error.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import ContextVar
from typing import Any, Final

from opentelemetry import context as context_api

from otel_kit.sdk.notes import fault
from otel_kit.sdk.rpc.call import Rpc
from otel_kit.sdk.rpc.ending import failed, left, returned
from otel_kit.sdk.rpc.names import CANCELLED, OK

__all__ = [
    "SERVED",
    "Begin",
    "Behavior",
    "Convert",
    "Counted",
    "async_generator",
    "coroutine",
    "counting_deserializer",
    "counting_serializer",
    "function",
    "generator",
    "serializer",
]

Begin = Callable[[Any], "Rpc | None"]
Behavior = Callable[[Any, Any], Any]
#: A serializer or deserializer.
Convert = Callable[[Any], Any]
#: The call that is served. gRPC runs each call in a context of its own, (de)serializers included.
SERVED: Final[ContextVar[Rpc | None]] = ContextVar("otel_kit_rpc_served", default=None)


class Counted:
    """The requests of a stream, as the handler or gRPC takes them."""

    __slots__ = ("_messages", "_rpc")

    def __init__(self, messages: Iterator[Any], rpc: Rpc) -> None:
        self._messages = messages
        self._rpc = rpc
        rpc.requests = 0

    def __iter__(self) -> Counted:
        return self

    def __next__(self) -> Any:
        message = next(self._messages)
        self._rpc.requests = (self._rpc.requests or 0) + 1
        return message

    def __getattr__(self, name: str) -> Any:
        return getattr(self._messages, name)


def function(behavior: Behavior, begin: Begin, *, streamed: bool, threaded: bool) -> Behavior:
    """A handler with one response that is no coroutine.

    Args:
        behavior: the handler.
        begin: begins a call.
        streamed: its requests are a stream.
        threaded: grpc.aio runs it in a thread, and forgets that once the caller has gone.
    """

    def call(request: Any, context: Any) -> Any:
        rpc = begin(context)
        if rpc is None:
            return behavior(request, context)
        token = context_api.attach(rpc.context)
        try:
            response = behavior(Counted(request, rpc) if streamed else request, context)
        except BaseException as error:
            failed(rpc, context, error)
            raise
        finally:
            context_api.detach(token)
        returned(rpc, context, sending=True)
        if threaded:
            rpc.due = CANCELLED
        return response

    return call


def generator(behavior: Behavior, begin: Begin, *, streamed: bool, aio: bool) -> Behavior:
    """A handler of grpc with a stream of responses, or one of grpc.aio that is no coroutine (`aio`)."""

    def call(request: Any, context: Any) -> Any:
        rpc = begin(context)
        if rpc is None:
            return behavior(request, context)
        rpc.responses = 0
        if aio:
            _end_with_task(rpc, context)
        try:
            responses = _in(rpc, lambda: behavior(Counted(request, rpc) if streamed else request, context))
            responses = iter(responses)
        except BaseException as error:
            failed(rpc, context, error)
            raise
        return _steps(rpc, context, responses, aio=aio)

    return call


def _end_with_task(rpc: Rpc, context: Any) -> None:
    """When the caller leaves, grpc.aio forgets the generator, in a thread that waits from then on."""
    try:
        task = asyncio.current_task()
        if task is not None:
            task.add_done_callback(lambda _: left(rpc, context))
    except Exception:
        fault("gRPC call")


def _steps(rpc: Rpc, context: Any, responses: Any, *, aio: bool) -> Iterator[Any]:
    try:
        while True:
            try:
                response = _in(rpc, lambda: next(responses))
            except StopIteration:
                break
            if not aio:
                if response is None:  # which is the end for grpc
                    break
                rpc.responses = (rpc.responses or 0) + 1
            try:
                yield response
            except GeneratorExit:
                left(rpc, context)
                _in(rpc, getattr(responses, "close", lambda: None))
                return
    except BaseException as error:
        failed(rpc, context, error)
        raise
    returned(rpc, context)


def _in(rpc: Rpc, step: Callable[[], Any]) -> Any:
    token = context_api.attach(rpc.context)
    try:
        return step()
    finally:
        context_api.detach(token)


def coroutine(behavior: Behavior, begin: Begin, *, writes: bool) -> Behavior:
    """A handler of grpc.aio that returns one response, or `writes` them by ``context.write()``."""

    async def call(request: Any, context: Any) -> Any:
        rpc = begin(context)
        if rpc is None:
            return await behavior(request, context)
        if writes:
            rpc.responses = 0
        token = context_api.attach(rpc.context)
        try:
            response = await behavior(request, context)
        except BaseException as error:
            failed(rpc, context, error)
            raise
        finally:
            context_api.detach(token)
        returned(rpc, context, sending=not writes)
        return response

    return call


def async_generator(behavior: Behavior, begin: Begin) -> Behavior:
    """A handler of grpc.aio that yields its responses."""

    async def call(request: Any, context: Any) -> AsyncIterator[Any]:
        rpc = begin(context)
        responses = behavior(request, context)
        if rpc is None:
            async for response in responses:
                yield response
            return
        rpc.responses = 0
        try:
            while True:
                token = context_api.attach(rpc.context)
                try:
                    response = await responses.__anext__()
                except StopAsyncIteration:
                    break
                finally:
                    context_api.detach(token)
                try:
                    yield response
                except GeneratorExit:
                    left(rpc, context)
                    await responses.aclose()
                    raise
        except BaseException as error:
            failed(rpc, context, error)
            raise
        returned(rpc, context)

    return call


def serializer(original: Convert | None, *, unary: bool, aio: bool) -> Convert:
    """A serializer of responses that tells the call about a failure.

    Args:
        original: the service's; None where its messages are bytes.
        unary: it has seen the only response, after which the call is over.
        aio: for grpc.aio, which answers other than grpc where that fails.
    """
    fine = (bytes, type(None)) if aio else (bytes,)  # what gRPC sends
    code = "UNKNOWN" if aio else "INTERNAL"

    def serialize(message: Any) -> Any:
        rpc = SERVED.get()
        try:
            data = message if original is None else original(message)
        except Exception as error:
            if rpc is not None:
                rpc.finish(code, error)
            raise
        if rpc is not None:
            if type(data) not in fine:
                rpc.finish(code, details="the response was not made bytes")
            elif unary:
                rpc.finish(OK)
            elif aio:
                rpc.responses = (rpc.responses or 0) + 1
        return data

    return serialize


def counting_serializer(original: Convert | None) -> Convert:
    """A serializer of what a handler of grpc.aio writes by ``context.write()``, where it sees a failure."""

    def serialize(message: Any) -> Any:
        data = message if original is None else original(message)
        rpc = SERVED.get()
        if rpc is not None and isinstance(data, bytes):
            rpc.responses = (rpc.responses or 0) + 1
        return data

    return serialize


def counting_deserializer(original: Convert | None) -> Convert:
    """A deserializer of the requests of a stream that grpc.aio serves."""

    def deserialize(data: bytes) -> Any:
        message = data if original is None else original(data)
        rpc = SERVED.get()
        if rpc is not None:
            rpc.requests = (rpc.requests or 0) + 1
        return message

    return deserialize

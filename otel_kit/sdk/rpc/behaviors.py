"""Handlers as they are recorded: functions, generators, coroutines and asynchronous generators.

Each wrapper begins a call, runs the handler in its context and ends it. Context is attached only while the
handler's own code runs, never across a yield. A unary response ends its call once it is serialized: until
then gRPC may still turn it into an error.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import ContextVar
from typing import Any, Final

from opentelemetry import context as context_api

from otel_kit.sdk.rpc.call import Rpc
from otel_kit.sdk.rpc.ending import failed, left, returned
from otel_kit.sdk.rpc.names import OK

__all__ = [
    "SERVED",
    "Begin",
    "Behavior",
    "Counted",
    "async_generator",
    "coroutine",
    "counting_deserializer",
    "function",
    "generator",
    "serializer",
]

Begin = Callable[[Any], "Rpc | None"]
Behavior = Callable[[Any, Any], Any]
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


def function(behavior: Behavior, begin: Begin, *, streamed: bool, sending: bool) -> Behavior:
    """A handler of grpc with one response.

    Args:
        behavior: the handler.
        begin: begins a call.
        streamed: its requests are a stream.
        sending: `serializer` sees its response.
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
        returned(rpc, context, sending=sending)
        return response

    return call


def generator(behavior: Behavior, begin: Begin, *, streamed: bool) -> Behavior:
    """A handler of grpc with a stream of responses."""

    def call(request: Any, context: Any) -> Iterator[Any]:
        rpc = begin(context)
        if rpc is None:
            yield from behavior(request, context)
            return
        rpc.responses = 0
        try:
            responses = _in(
                rpc, lambda: iter(behavior(Counted(request, rpc) if streamed else request, context))
            )
            while True:
                try:
                    response = _in(rpc, responses.__next__)
                except StopIteration:
                    break
                rpc.responses += 1
                yield response
        except GeneratorExit:
            left(rpc)
            _in(rpc, getattr(responses, "close", lambda: None))
            raise
        except BaseException as error:
            failed(rpc, context, error)
            raise
        returned(rpc, context)

    return call


def _in(rpc: Rpc, step: Callable[[], Any]) -> Any:
    token = context_api.attach(rpc.context)
    try:
        return step()
    finally:
        context_api.detach(token)


def coroutine(behavior: Behavior, begin: Begin, *, writes: bool, sending: bool) -> Behavior:
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
        returned(rpc, context, sending=sending)
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
                rpc.responses += 1
                yield response
        except GeneratorExit:
            left(rpc)
            await responses.aclose()
            raise
        except BaseException as error:
            failed(rpc, context, error)
            raise
        returned(rpc, context)

    return call


def serializer(
    original: Callable[[Any], bytes], *, unary: bool, counts: bool, code: str
) -> Callable[[Any], bytes]:
    """A serializer of responses that tells the call about a failure.

    Args:
        original: the service's.
        unary: it has seen the only response, after which the call is over.
        counts: nothing else sees the responses of the stream.
        code: what gRPC answers where it fails.
    """

    def serialize(message: Any) -> bytes:
        rpc = SERVED.get()
        try:
            data = original(message)
        except Exception as error:
            if rpc is not None:
                rpc.finish(code, error)
            raise
        if rpc is not None:
            if unary:
                rpc.finish(OK)
            elif counts:
                rpc.responses = (rpc.responses or 0) + 1
        return data

    return serialize


def counting_deserializer(original: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    """A deserializer of the requests of a stream that grpc.aio serves."""

    def deserialize(data: bytes) -> Any:
        message = original(data)
        rpc = SERVED.get()
        if rpc is not None:
            rpc.requests = (rpc.requests or 0) + 1
        return message

    return deserialize

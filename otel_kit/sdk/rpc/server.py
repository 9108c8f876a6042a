"""Server interceptors of both gRPC stacks, for all four kinds of calls.

A handler is wrapped by what it is: a function, a coroutine (with ``return`` or ``context.write()``), a
generator or an asynchronous generator. Context is attached only while the handler's own code runs, never
across a yield.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import grpc
import grpc.aio
from opentelemetry import context as context_api
from opentelemetry.trace import SpanKind

from otel_kit.sdk.notes import quietly
from otel_kit.sdk.rpc.calls import Rpc, Rpcs, code_name, unrecorded

__all__ = ["AioServerInterceptor", "ServerInterceptor"]

Handler = Any  # grpc.RpcMethodHandler, whose type parameters nobody knows here
Begin = Callable[[Any], "Rpc | None"]
_MAKERS = {
    (False, False): ("unary_unary", grpc.unary_unary_rpc_method_handler),
    (False, True): ("unary_stream", grpc.unary_stream_rpc_method_handler),
    (True, False): ("stream_unary", grpc.stream_unary_rpc_method_handler),
    (True, True): ("stream_stream", grpc.stream_stream_rpc_method_handler),
}


class ServerInterceptor(grpc.ServerInterceptor):  # type: ignore[misc,type-arg,unused-ignore]
    """For ``grpc.server``."""

    def __init__(self) -> None:
        self._rpcs = Rpcs(SpanKind.SERVER)

    def intercept_service(self, continuation: Callable[[Any], Handler], handler_call_details: Any) -> Handler:
        """The handler, wrapped."""
        return _wrapped(self._rpcs, continuation(handler_call_details), handler_call_details)


class AioServerInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc,type-arg,unused-ignore]
    """For ``grpc.aio.server``, whose handlers may also be plain functions."""

    def __init__(self) -> None:
        self._rpcs = Rpcs(SpanKind.SERVER)

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Handler]], handler_call_details: Any
    ) -> Handler:
        """The handler, wrapped."""
        return _wrapped(self._rpcs, await continuation(handler_call_details), handler_call_details)


def _wrapped(rpcs: Rpcs, handler: Handler, details: Any) -> Handler:
    method = str(details.method)
    if handler is None or unrecorded(method):
        return handler
    metadata = details.invocation_metadata

    def begin(context: Any) -> Rpc | None:
        return rpcs.serve(method, metadata, context.peer())

    return quietly("gRPC handler", lambda: _remade(handler, begin)) or handler


def _remade(handler: Handler, begin: Begin) -> Handler:
    name, make = _MAKERS[bool(handler.request_streaming), bool(handler.response_streaming)]
    behavior = getattr(handler, name)
    if getattr(behavior, "experimental_non_blocking", False):
        return handler  # answers by a callback; grpc itself calls this an experiment
    if inspect.isasyncgenfunction(behavior):
        around: Any = _async_generator
    elif inspect.iscoroutinefunction(behavior):
        around = _coroutine
    else:
        around = _generator if handler.response_streaming else _function
    wrapped = functools.wraps(behavior)(around(behavior, begin))
    return make(wrapped, handler.request_deserializer, handler.response_serializer)


def _function(behavior: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    def call(request: Any, context: Any) -> Any:
        rpc = begin(context)
        if rpc is None:
            return behavior(request, context)
        token = context_api.attach(rpc.context)
        try:
            response = behavior(request, context)
        except BaseException as error:
            _failed(rpc, context, error)
            raise
        finally:
            context_api.detach(token)
        _returned(rpc, context)
        return response

    return call


def _generator(behavior: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    def call(request: Any, context: Any) -> Iterator[Any]:
        rpc = begin(context)
        if rpc is None:
            yield from behavior(request, context)
            return
        try:
            responses = iter(_in(rpc, lambda: behavior(request, context)))
            while True:
                try:
                    response = _in(rpc, lambda: next(responses))
                except StopIteration:
                    break
                yield response
        except GeneratorExit:
            rpc.finish("CANCELLED")  # nobody takes the rest
            raise
        except BaseException as error:
            _failed(rpc, context, error)
            raise
        _returned(rpc, context)

    return call


def _in(rpc: Rpc, step: Callable[[], Any]) -> Any:
    token = context_api.attach(rpc.context)
    try:
        return step()
    finally:
        context_api.detach(token)


def _coroutine(behavior: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    async def call(request: Any, context: Any) -> Any:
        rpc = begin(context)
        if rpc is None:
            return await behavior(request, context)
        token = context_api.attach(rpc.context)
        try:
            response = await behavior(request, context)
        except BaseException as error:
            _failed(rpc, context, error)
            raise
        finally:
            context_api.detach(token)
        _returned(rpc, context)
        return response

    return call


def _async_generator(behavior: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    async def call(request: Any, context: Any) -> AsyncIterator[Any]:
        rpc = begin(context)
        responses = behavior(request, context)
        try:
            while True:
                token = None if rpc is None else context_api.attach(rpc.context)
                try:
                    response = await responses.__anext__()
                except StopAsyncIteration:
                    break
                finally:
                    if token is not None:
                        context_api.detach(token)
                yield response
        except GeneratorExit:
            if rpc is not None:
                rpc.finish("CANCELLED")
            await responses.aclose()
            raise
        except BaseException as error:
            if rpc is not None:
                _failed(rpc, context, error)
            raise
        if rpc is not None:
            _returned(rpc, context)

    return call


def _returned(rpc: Rpc, context: Any) -> None:
    """The handler is done; what it set, or a caller that went away before, decides the code."""
    rpc.finish(_gone(context) or _code(context) or "OK", details=_details(context))


def _failed(rpc: Rpc, context: Any, error: BaseException) -> None:
    """The handler raised: by ``context.abort``, because it was cancelled, or because of a fault."""
    code = _code(context)
    gone = _gone(context)
    if _aborted(context, error):
        rpc.finish(code or "UNKNOWN", details=_details(context))
    elif gone is not None or type(error).__name__ == "CancelledError":
        rpc.finish(gone or "CANCELLED")
    else:
        # grpc sends the code that the handler has set before, if it is one of an error.
        rpc.finish(code if code and code != "OK" else "UNKNOWN", error)


def _aborted(context: Any, error: BaseException) -> bool:
    if isinstance(error, grpc.aio.AbortError):
        return True
    state = getattr(context, "_state", None)
    return bool(getattr(state, "aborted", False))


def _code(context: Any) -> str | None:
    read = getattr(context, "code", None)
    return quietly("gRPC status", lambda: code_name(read())) if read is not None else None


def _details(context: Any) -> str:
    read = getattr(context, "details", None)
    details = quietly("gRPC status", read) if read is not None else None
    return details.decode("utf-8", "replace") if isinstance(details, bytes) else details or ""


def _gone(context: Any) -> str | None:
    """CANCELLED or DEADLINE_EXCEEDED where the caller does not wait any longer."""
    return quietly("gRPC status", lambda: _reason_to_go(context))


def _reason_to_go(context: Any) -> str | None:
    left = context.time_remaining()
    if left is not None and left <= 0:  # grpc.aio calls this a cancellation, too
        return "DEADLINE_EXCEEDED"
    cancelled = getattr(context, "cancelled", None)
    active = getattr(context, "is_active", None)
    gone = cancelled() if cancelled is not None else active is not None and not active()
    return "CANCELLED" if gone else None

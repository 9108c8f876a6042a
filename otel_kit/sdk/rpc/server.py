"""Server interceptors of both gRPC stacks, for all four kinds of calls.

They are the outermost ones, so that they also see what a service's own interceptors refuse, and what these
put around handlers runs within the span. A handler is wrapped once and kept, since gRPC asks for it in each
call.
"""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from typing import Any, Final

import grpc
import grpc.aio
from opentelemetry import context as context_api

from otel_kit.sdk.context import trust
from otel_kit.sdk.notes import fault, quietly
from otel_kit.sdk.rpc import behaviors
from otel_kit.sdk.rpc.behaviors import SERVED, Begin
from otel_kit.sdk.rpc.call import Method, Rpc
from otel_kit.sdk.rpc.carrier import incoming
from otel_kit.sdk.rpc.custom import Custom
from otel_kit.sdk.rpc.limited import Limited
from otel_kit.sdk.rpc.names import text
from otel_kit.sdk.rpc.noting import Noting
from otel_kit.sdk.rpc.recorder import Recorder, suppressed

__all__ = ["AioServerInterceptor", "ServerInterceptor", "knowing", "rejecting"]

Handler = Any  # grpc.RpcMethodHandler, whose type parameters nobody knows here
#: Methods whose handlers are kept wrapped; a generic handler may take any name.
_KEPT: Final = 1000
#: When the call of grpc arrived, which then waits for a thread, by the wall clock (ns) and `perf_counter`.
_ARRIVED: Final[ContextVar[tuple[int, float] | None]] = ContextVar("otel_kit_rpc_arrived", default=None)
#: Its details, as long as it has not reached its handler.
_DETAILS: Final[ContextVar[Any]] = ContextVar("otel_kit_rpc_details", default=None)
_EXHAUSTED: Final = grpc.StatusCode.RESOURCE_EXHAUSTED
_MAKERS: Final = {
    (False, False): ("unary_unary", grpc.unary_unary_rpc_method_handler),
    (False, True): ("unary_stream", grpc.unary_stream_rpc_method_handler),
    (True, False): ("stream_unary", grpc.stream_unary_rpc_method_handler),
    (True, True): ("stream_stream", grpc.stream_stream_rpc_method_handler),
}


class ServerInterceptor(grpc.ServerInterceptor):  # type: ignore[misc,type-arg,unused-ignore]
    """For ``grpc.server``.

    Args:
        recorder: begins calls.
        customs: what the service has set by the instrumentation package of OpenTelemetry.
        alone: the server has no other interceptors.
    """

    def __init__(
        self, recorder: Recorder, customs: Callable[[], Sequence[Custom]], *, alone: bool = False
    ) -> None:
        self._handlers = _Handlers(recorder, customs, aio=False)
        self._alone = alone

    def intercept_service(self, continuation: Callable[[Any], Handler], handler_call_details: Any) -> Handler:
        """The handler, wrapped."""
        _ARRIVED.set((time.time_ns(), time.perf_counter()))
        _DETAILS.set(handler_call_details)
        token = None if self._alone else _join_caller(handler_call_details)
        try:
            handler = continuation(handler_call_details)
        except Exception as error:
            self._handlers.refuse(handler_call_details, "UNKNOWN", error)
            raise
        finally:
            if token is not None:
                context_api.detach(token)
        return self._handlers.wrapped(handler, handler_call_details)


class AioServerInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc,type-arg,unused-ignore]
    """For ``grpc.aio.server``, whose handlers may also be plain functions.

    Args:
        recorder: begins calls.
        customs: as above.
        alone: as above.
        limited: the server has a limit of calls at a time.
    """

    def __init__(
        self,
        recorder: Recorder,
        customs: Callable[[], Sequence[Custom]],
        *,
        alone: bool = False,
        limited: bool = False,
    ) -> None:
        self._handlers = _Handlers(recorder, customs, aio=True)
        self._alone = alone
        self._limited = limited

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Handler]], handler_call_details: Any
    ) -> Handler:
        """The handler, wrapped."""
        token = None if self._alone else _join_caller(handler_call_details)
        try:
            handler = await continuation(handler_call_details)
        except Exception as error:
            self._handlers.refuse(handler_call_details, "UNKNOWN", error)
            raise
        finally:
            if token is not None:
                context_api.detach(token)
        return self.wrapped(handler, handler_call_details)

    def wrapped(self, handler: Handler, details: Any) -> Handler:
        """What gRPC shall run instead of `handler`."""
        found = self._handlers.wrapped(handler, details)
        if not self._limited or found is handler:
            return found
        try:
            return Limited(found, lambda: self._handlers.refuse(details, _EXHAUSTED.name, None))
        except Exception:
            fault("gRPC handler")
            return found


def _join_caller(details: Any) -> Any:
    """Let the service's interceptors work in the trace of the caller; the token to leave it with, or None.

    The span begins with the handler: only then gRPC tells of the peer and the deadline. Where it depends on
    the peer whether a caller is trusted, there is no context before.
    """
    try:
        if trust.active is not None:
            return None
        context, _ = incoming(details.invocation_metadata, "", None)
        return context_api.attach(context)
    except Exception:
        fault("gRPC call")
        return None


def rejecting(recorder: Recorder) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """For what answers a call of grpc that is one too many: no handler sees it, nor any interceptor."""

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def reject(event: Any, state: Any, status: Any, details: bytes) -> Any:
            try:
                call = state.context.get(_DETAILS) if status == _EXHAUSTED.value[0] else None
                if call is not None:
                    recorder.refuse(text(call.method), call.invocation_metadata, _EXHAUSTED.name)
            except Exception:
                fault("gRPC call")
            return original(event, state, status, details)

        return reject

    return make


def knowing(known: set[str]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """For ``__init__`` of the handlers of a service: add the names of its methods."""

    def make(original: Callable[..., None]) -> Callable[..., None]:
        def init(handlers: Any, *args: Any, **kwargs: Any) -> None:
            original(handlers, *args, **kwargs)
            known.update(getattr(handlers, "_method_handlers", ()))

        return init

    return make


class _Handlers:
    """The wrapped handlers of one server, by method."""

    def __init__(self, recorder: Recorder, customs: Callable[[], Sequence[Custom]], *, aio: bool) -> None:
        self._recorder = recorder
        self._customs = customs
        self._aio = aio
        self._known: dict[str, tuple[Handler, Handler]] = {}

    def wrapped(self, handler: Handler, details: Any) -> Handler:
        """What gRPC shall run; `handler` itself where the call is not recorded."""
        try:
            customs = self._customs()
            if suppressed() or (customs and not all(custom.wants(details) for custom in customs)):
                return handler
            path = text(details.method)
            if handler is None:
                self.refuse(details, "UNIMPLEMENTED", None, known=False)
                return None
            known = self._known.get(path)
            if known is None or known[0] is not handler:
                known = handler, self._wrap(handler, path)
                if path in self._known or len(self._known) < _KEPT:
                    self._known[path] = known
            return known[1]
        except Exception:
            fault("gRPC handler")
            return handler

    def refuse(self, details: Any, code: str, error: Exception | None, *, known: bool = True) -> None:
        """Record a call that reaches no handler."""
        try:
            path = text(details.method)
            self._recorder.refuse(path, details.invocation_metadata, code, error, known=known)
        except Exception:
            fault("gRPC call")

    def _wrap(self, handler: Handler, path: str) -> Handler:
        method = self._recorder.asked(path)
        streamed, streams = bool(handler.request_streaming), bool(handler.response_streaming)
        name, make = _MAKERS[streamed, streams]
        behavior = getattr(handler, name)
        # An experiment of gRPC answers by a callback, and is left alone.
        if not method.recorded or getattr(behavior, "experimental_non_blocking", None) is True:
            return handler
        threaded = self._aio and not streams and not inspect.iscoroutinefunction(behavior)
        begin = self._begin(method, streamed, threaded)
        around = functools.wraps(behavior)(self._around(behavior, begin, streamed, streams))
        serialize = handler.response_serializer
        if streams and inspect.iscoroutinefunction(behavior):
            serialize = behaviors.counting_serializer(serialize)
        else:
            serialize = behaviors.serializer(serialize, unary=not streams, aio=self._aio)
        return make(around, self._deserializer(handler, streamed, path), serialize)

    def _around(self, behavior: Any, begin: Begin, streamed: bool, streams: bool) -> behaviors.Behavior:
        if inspect.isasyncgenfunction(behavior):
            return behaviors.async_generator(behavior, begin)
        if inspect.iscoroutinefunction(behavior):
            return behaviors.coroutine(behavior, begin, writes=streams)
        if streams:
            around = behaviors.generator(behavior, begin, streamed=streamed, aio=self._aio)
        else:
            around = behaviors.function(behavior, begin, streamed=streamed, threaded=self._aio)
        return Noting.around(around) if self._aio else around

    def _begin(self, method: Method, streamed: bool, threaded: bool) -> Begin:
        serve, customs = self._recorder.serve, self._customs

        def begin(context: Any) -> Rpc | None:
            try:
                own = customs()
                tracer = next((custom.tracer for custom in own if custom.tracer), None) if own else None
                rpc = serve(method, context, _ARRIVED.get(), tracer)
                if streamed:
                    rpc.requests = 0
                if threaded:  # what comes after it, such as the serializer, runs in the task of the call
                    context.add_callback(functools.partial(SERVED.set, rpc))
                else:
                    SERVED.set(rpc)
                return rpc
            except Exception:
                fault("gRPC call")
                return None

        return begin

    def _deserializer(self, handler: Handler, streamed: bool, path: str) -> Any:
        original = handler.request_deserializer
        if streamed:
            return behaviors.counting_deserializer(original) if self._aio else original
        if original is None:
            return None

        def deserialize(data: bytes) -> Any:
            try:
                return original(data)
            except Exception as error:
                # The handler, where a call would begin, never sees it.
                code = "UNKNOWN" if self._aio else "INTERNAL"
                quietly("gRPC call", functools.partial(self._recorder.refuse, path, (), code, error))
                raise

        return deserialize

"""Calls of ``grpc``: recorded where a stub makes them, beneath the interceptors of the service.

The classes behind stubs are changed, so channels and stubs that are older than `init()` are reached, and what
the service gets back is gRPC's own object. The span ends when the call does, whether or not somebody reads
the stream to its end. A retry by an interceptor is a call of its own; one by gRPC itself is not.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, Final

import grpc
from opentelemetry import context as context_api

from otel_kit.sdk.notes import fault
from otel_kit.sdk.rpc.behaviors import Counted
from otel_kit.sdk.rpc.call import Rpc
from otel_kit.sdk.rpc.clients import Clients, counting_responses
from otel_kit.sdk.rpc.names import CANCELLED, OK, code_name, text

__all__ = ["blocking", "ongoing", "raised"]

Call = Callable[..., Any]
_METADATA: Final = 2  # position, after the request and the timeout


def blocking(clients: Clients, *, streamed: bool, with_call: bool = False) -> Callable[[Call], Call]:
    """For ``stub.Method(request)``, which returns the response, or that and the call (`with_call`)."""

    def answered(rpc: Rpc, result: Any) -> None:
        if rpc.custom is not None:
            rpc.custom.on_response(rpc.span, result[0] if with_call else result)
        rpc.finish(OK)

    return _calling(clients, streamed, answered)


def ongoing(clients: Clients, *, streamed: bool, streams: bool) -> Callable[[Call], Call]:
    """For ``stub.Method.future(request)``, and for calls whose response is a stream (`streams`)."""

    def begun(rpc: Rpc, result: Any) -> None:
        try:
            _watch(result, rpc, streams)
        except Exception:
            fault("gRPC call")

    return _calling(clients, streamed, begun)


def _calling(clients: Clients, streamed: bool, then: Callable[[Rpc, Any], None]) -> Callable[[Call], Call]:
    """Around a method of a stub; `then` gets what is recorded of the call, and what the method returned."""

    def make(original: Call) -> Call:
        def call(multicallable: Any, *args: Any, **kwargs: Any) -> Any:
            begun = _begin(clients, multicallable, args, kwargs, streamed)
            if begun is None:
                return original(multicallable, *args, **kwargs)
            rpc, args, kwargs = begun
            token = context_api.attach(rpc.context)
            try:
                result = original(multicallable, *args, **kwargs)
            except BaseException as error:
                raised(rpc, error)
                raise
            finally:
                context_api.detach(token)
            then(rpc, result)
            return result

        return call

    return make


def raised(rpc: Rpc, error: BaseException) -> None:
    """A call ended with `error`: that of gRPC, of a cancellation, or of the service's own code."""
    try:
        if isinstance(error, grpc.RpcError) and hasattr(error, "code"):
            rpc.finish(code_name(error.code()) or "UNKNOWN", details=text(error.details() or ""))
        elif type(error).__name__ in ("CancelledError", "FutureCancelledError"):
            rpc.finish(CANCELLED)
        else:
            rpc.finish("UNKNOWN", error)
    except Exception:
        fault("gRPC call")
        rpc.finish("UNKNOWN", error)


def _begin(
    clients: Clients, multicallable: Any, args: tuple[Any, ...], kwargs: dict[str, Any], streamed: bool
) -> tuple[Rpc, tuple[Any, ...], dict[str, Any]] | None:
    """The call, and its arguments with our metadata; None where it is not recorded."""
    try:
        by_position = len(args) > _METADATA
        metadata = args[_METADATA] if by_position else kwargs.get("metadata")
        if metadata is not None and not isinstance(metadata, tuple | list):
            metadata = tuple(metadata)
        name = "request_iterator" if streamed else "request"
        request = args[0] if args else kwargs.get(name)
        begun = clients.begin(multicallable._method, multicallable._target, request, metadata)
        if begun is None:
            return None
        rpc, metadata = begun
        if streamed and request is not None and hasattr(request, "__next__"):
            request = Counted(request, rpc)
            args = (request, *args[1:]) if args else args
            kwargs = kwargs if args else {**kwargs, name: request}
        if by_position:
            return rpc, (*args[:_METADATA], metadata, *args[_METADATA + 1 :]), kwargs
        return rpc, args, {**kwargs, "metadata": metadata}
    except Exception:
        fault("gRPC call")
        return None


def _watch(call: Any, rpc: Rpc, streams: bool) -> None:
    """End `rpc` with `call`, without keeping it alive: gRPC cancels a call that nobody holds any more.

    Its state outlives it, and so tells the status also where the service has dropped the call at its end.
    """
    state = weakref.ref(call._state)
    if streams:
        rpc.responses = 0
        call._response_deserializer = counting_responses(call._response_deserializer, rpc)

    def done() -> None:
        there = state()
        if there is None:
            return
        try:
            code = code_name(there.code) or "UNKNOWN"
            if code == OK and rpc.custom is not None and not streams:
                rpc.custom.on_response(rpc.span, there.response)
            rpc.finish(code, details=text(there.details or ""))
        except Exception:
            fault("gRPC call")

    if not call.add_callback(done):
        done()

"""Client interceptors of both gRPC stacks, for all four kinds of calls.

They are the innermost ones: a service's own interceptors run around them, and a retry of theirs is a call
of its own. The span ends when the call does, whether or not somebody reads the stream to its end; the call
object that the service gets is gRPC's own, with `cancel()` and `code()`.
"""

from __future__ import annotations

import weakref
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, NamedTuple

import grpc
import grpc.aio
from opentelemetry import context as context_api

from otel_kit.sdk.notes import quietly
from otel_kit.sdk.rpc.calls import Rpc, Rpcs, code_name, unrecorded

__all__ = ["ClientInterceptor", "aio_client_interceptors", "watching"]

#: Attribute of a call of grpc.aio that holds what is recorded of it.
_RPC: Final = "_otel_kit_rpc"


class _Details(NamedTuple):
    """``grpc.ClientCallDetails``; those of a service's interceptor may lack attributes."""

    method: str
    timeout: float | None
    metadata: Any
    credentials: Any
    wait_for_ready: bool | None
    compression: Any


class ClientInterceptor(
    grpc.UnaryUnaryClientInterceptor,  # type: ignore[misc,type-arg,unused-ignore]
    grpc.UnaryStreamClientInterceptor,  # type: ignore[misc,type-arg,unused-ignore]
    grpc.StreamUnaryClientInterceptor,  # type: ignore[misc,type-arg,unused-ignore]
    grpc.StreamStreamClientInterceptor,  # type: ignore[misc,type-arg,unused-ignore]
):
    """For the channels of ``grpc``.

    Args:
        rpcs: begins calls.
        target: what the channel was made for.
    """

    def __init__(self, rpcs: Rpcs, target: str) -> None:
        self._rpcs = rpcs
        self._target = target

    def _call(self, continuation: Callable[[Any, Any], Any], details: Any, request: Any) -> Any:
        method = _text(details.method)
        begun = None if unrecorded(method) else self._rpcs.send(method, self._target)
        if begun is None:
            return continuation(details, request)
        rpc, carrier = begun
        token = context_api.attach(rpc.context)
        try:
            call = continuation(_with(details, carrier), request)
        except BaseException as error:
            _raised(rpc, error)
            raise
        finally:
            context_api.detach(token)
        quietly("gRPC call", lambda: _when_done(call, rpc))
        return call

    intercept_unary_unary: Any = _call
    intercept_unary_stream: Any = _call
    intercept_stream_unary: Any = _call
    intercept_stream_stream: Any = _call


def _with(details: Any, carrier: dict[str, str]) -> _Details:
    return _Details(
        method=details.method,
        timeout=getattr(details, "timeout", None),
        metadata=(*(getattr(details, "metadata", None) or ()), *carrier.items()),
        credentials=getattr(details, "credentials", None),
        wait_for_ready=getattr(details, "wait_for_ready", None),
        compression=getattr(details, "compression", None),
    )


def _when_done(call: Any, rpc: Rpc) -> None:
    """End `rpc` with `call`, without keeping it alive: gRPC cancels a call that nobody holds any more."""
    held = weakref.ref(call)

    def done() -> None:
        there = held()
        if there is None:
            rpc.finish("CANCELLED")
        else:
            rpc.finish(code_name(there.code()) or "UNKNOWN", details=there.details() or "")

    try:
        pending = call.add_callback(done)
    except NotImplementedError:  # the error of a blocking call, which is over
        pending = False
    if not pending:
        done()


def _raised(rpc: Rpc, error: BaseException) -> None:
    code = getattr(error, "code", None)
    name = code_name(code()) if isinstance(error, grpc.RpcError) and code is not None else None
    cancelled = type(error).__name__ in ("CancelledError", "FutureCancelledError")
    rpc.finish(name or ("CANCELLED" if cancelled else "UNKNOWN"), None if name or cancelled else error)


def aio_client_interceptors(rpcs: Rpcs, target: str) -> list[Any]:
    """For the channels of ``grpc.aio``, which sort interceptors by their first kind only: one of each."""
    return [kind(rpcs, target) for kind in (_UnaryUnary, _UnaryStream, _StreamUnary, _StreamStream)]


class _Aio:
    def __init__(self, rpcs: Rpcs, target: str) -> None:
        self._rpcs = rpcs
        self._target = target

    async def _call(
        self, continuation: Callable[[Any, Any], Awaitable[Any]], details: Any, request: Any
    ) -> Any:
        method = _text(details.method)
        begun = None if unrecorded(method) else self._rpcs.send(method, self._target)
        if begun is None:
            return await continuation(details, request)
        rpc, carrier = begun
        metadata = grpc.aio.Metadata(*tuple(details.metadata or ()), *carrier.items())
        token = context_api.attach(rpc.context)
        try:
            call = await continuation(details._replace(metadata=metadata), request)
        except BaseException as error:
            _raised(rpc, error)
            raise
        finally:
            context_api.detach(token)
        quietly("gRPC call", lambda: _when_aio_done(call, rpc))
        return call


class _UnaryUnary(_Aio, grpc.aio.UnaryUnaryClientInterceptor):  # type: ignore[misc,type-arg,unused-ignore]
    intercept_unary_unary: Any = _Aio._call


class _UnaryStream(_Aio, grpc.aio.UnaryStreamClientInterceptor):  # type: ignore[misc,type-arg,unused-ignore]
    intercept_unary_stream: Any = _Aio._call


class _StreamUnary(_Aio, grpc.aio.StreamUnaryClientInterceptor):  # type: ignore[misc,type-arg,unused-ignore]
    intercept_stream_unary: Any = _Aio._call


class _StreamStream(_Aio, grpc.aio.StreamStreamClientInterceptor):  # type: ignore[misc,type-arg,unused-ignore]
    intercept_stream_stream: Any = _Aio._call


def _when_aio_done(call: Any, rpc: Rpc) -> None:
    def done(ended: Any) -> None:
        rpc.finish(code_name(_now(ended.code())) or "UNKNOWN", details=_now(ended.details()) or "")

    setattr(call, _RPC, rpc)
    call.add_done_callback(lambda ended: quietly("gRPC call", lambda: done(ended)))


def watching(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """``__aiter__`` of the calls of grpc.aio whose responses are a stream."""

    def aiter_(call: Any) -> Any:
        responses = original(call)
        return quietly("gRPC call", lambda: _Watched(call, responses)) or responses

    return aiter_


class _Watched:
    """The responses of a call, which ends its span when ``async for`` is left before their end.

    grpc.aio lets such a call go on until its channel is closed, and keeps every object of it until then.
    """

    def __init__(self, call: Any, responses: Any) -> None:
        self._responses = responses
        weakref.finalize(self, quietly, "gRPC call", lambda: _left(call)).atexit = False

    def __aiter__(self) -> _Watched:
        return self

    def __anext__(self) -> Any:
        return self._responses.__anext__()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._responses, name)


def _left(call: Any) -> None:
    begun = call._interceptors_task
    if begun.done() and not begun.cancelled() and begun.exception() is None and not call.done():
        rpc = getattr(begun.result(), _RPC, None)
        if rpc is not None:
            rpc.finish("CANCELLED", details="the stream was left before its end")


def _now(known: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that has nothing to wait for: the call is over and its status is there."""
    try:
        known.send(None)
    except StopIteration as result:
        return result.value
    known.close()
    return None


def _text(method: str | bytes) -> str:
    return method.decode() if isinstance(method, bytes) else method

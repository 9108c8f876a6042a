"""Calls of ``grpc.aio``: recorded where gRPC makes the call object, beneath the interceptors of the service.

The classes of the calls are changed, so channels and stubs that are older than `init()` are reached, and no
interceptor of ours turns a call into one of those that can do less.
"""

from __future__ import annotations

import contextlib
import inspect
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final

import grpc
from opentelemetry import context as context_api

from otel_kit.sdk.notes import fault
from otel_kit.sdk.rpc.behaviors import Convert
from otel_kit.sdk.rpc.call import Rpc
from otel_kit.sdk.rpc.client import raised
from otel_kit.sdk.rpc.clients import Clients, counting_responses
from otel_kit.sdk.rpc.names import CANCELLED, OK, code_name

__all__ = ["NEEDED", "making", "watching", "watching_intercepted"]

Init = Callable[..., None]
_RPC: Final = "_otel_kit_rpc"
#: Seconds after which a stream that nobody reads counts as left.
_TAKEN_UP_WITHIN: Final = 1.0
_LEFT: Final = "the stream was left before its end"
#: Parameters of the calls' constructors that are read or replaced.
NEEDED: Final = ("metadata", "channel", "method", "request_serializer", "response_deserializer")


def making(clients: Clients, *, streamed: bool, streams: bool) -> Callable[[Init], Init]:
    """For ``__init__`` of a class of calls.

    Args:
        clients: begins calls.
        streamed: its requests are a stream.
        streams: its responses are.

    Raises:
        LookupError: that constructor has other parameters than we know.
    """

    def make(original: Init) -> Init:
        signature = inspect.signature(original)
        names = list(signature.parameters)[1:]
        missing = [name for name in NEEDED if name not in names]
        if missing:
            raise LookupError(f"no parameter {', '.join(missing)}")
        at = [names.index(name) for name in NEEDED]

        def init(call: Any, *args: Any, **kwargs: Any) -> None:
            if kwargs:  # gRPC gives all by position
                args = signature.bind(call, *args, **kwargs).args[1:]
            begun = _begin(clients, args, at, streamed, streams)
            if begun is None:
                original(call, *args)
                return
            rpc, args = begun
            token = context_api.attach(rpc.context)
            try:
                original(call, *args)
            except BaseException as error:
                raised(rpc, error)
                raise
            finally:
                context_api.detach(token)
            call.__dict__[_RPC] = rpc
            call.add_done_callback(_ended)

        return init

    return make


def _begin(
    clients: Clients, args: tuple[Any, ...], at: list[int], streamed: bool, streams: bool
) -> tuple[Rpc, tuple[Any, ...]] | None:
    metadata, channel, method, serializer, deserializer = at
    try:
        begun = clients.begin(args[method], args[channel].target, args[0], args[metadata])
        if begun is None:
            return None
        rpc, pairs = begun
        given = list(args)
        given[metadata] = pairs
        if streamed:
            rpc.requests = 0
            given[serializer] = _counting_requests(args[serializer], rpc)
        if streams:
            rpc.responses = 0
            given[deserializer] = counting_responses(args[deserializer], rpc)
        elif rpc.custom is not None and rpc.custom.response_hook is not None:
            given[deserializer] = _showing_response(args[deserializer], rpc)
        return rpc, tuple(given)
    except Exception:
        fault("gRPC call")
        return None


def _counting_requests(convert: Convert | None, rpc: Rpc) -> Convert:
    def serialize(message: Any) -> Any:
        data = message if convert is None else convert(message)
        rpc.requests = (rpc.requests or 0) + 1
        return data

    return serialize


def _showing_response(convert: Convert | None, rpc: Rpc) -> Convert:
    """For a hook: gRPC reads the response when the call is over, and the span must wait for it."""

    def deserialize(data: Any) -> Any:
        message = data if convert is None else convert(data)
        if rpc.custom is not None:
            rpc.custom.on_response(rpc.span, message)
        rpc.finish(OK)
        return message

    return deserialize


def _ended(call: Any) -> None:
    try:
        rpc: Rpc | None = call.__dict__.pop(_RPC, None)
        if rpc is None:
            return
        code = _now(call.code())
        error = _own_error(call) if code is grpc.StatusCode.CANCELLED else None
        if error is not None:
            rpc.finish("UNKNOWN", error)
        elif code is grpc.StatusCode.CANCELLED and rpc.left is not None:
            rpc.finish(CANCELLED, details=_LEFT, at=rpc.left)
        elif code is not grpc.StatusCode.OK:
            rpc.finish(code_name(code) or "UNKNOWN", details=_now(call.details()) or "")
        elif rpc.responses is None and rpc.custom is not None and rpc.custom.response_hook is not None:
            rpc.due = OK
        else:
            rpc.finish(OK)
    except Exception:
        fault("gRPC call")


def _own_error(call: Any) -> BaseException | None:
    """What kept the call from being made at all, such as metadata that gRPC refuses.

    Read past ``Task.exception()``, after which asyncio would no longer tell of an error that nobody awaits.
    """
    task = getattr(call, "_call_response", None) or getattr(call, "_preparation", None)
    error: BaseException | None = getattr(task, "_exception", None)
    return None if isinstance(error, grpc.RpcError) else error


def _now(known: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that has nothing to wait for: the call is over and its status is there."""
    try:
        known.send(None)
    except StopIteration as result:
        return result.value
    known.close()
    return None


def watching(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """``__aiter__`` of a call whose responses are a stream."""

    def aiter_(call: Any) -> Any:
        responses = original(call)
        return _Watched(responses, call) if _RPC in call.__dict__ else responses

    return aiter_


def watching_intercepted(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The same of a call within interceptors of the service, which keep the iterator of the call."""

    def aiter_(call: Any) -> Any:
        return _Watched(original(call), call)

    return aiter_


class _Watched:
    """The responses of a call, which ends its span when ``async for`` is left before their end.

    grpc.aio lets such a call go on until its channel is closed, and keeps every object of it until then. But
    the service may take up the stream again a moment later, where it has left off.
    """

    __slots__ = ("_call", "_responses")

    def __init__(self, responses: Any, call: Any) -> None:
        self._responses = responses
        self._call = call
        try:
            rpc = _rpc_of(call)
            if rpc is not None:
                rpc.left = None
        except Exception:
            fault("gRPC call")

    def __aiter__(self) -> _Watched:
        return self

    def __anext__(self) -> Any:
        return self._responses.__anext__()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._responses, name)

    def __del__(self) -> None:
        try:
            rpc = _rpc_of(self._call)
            if rpc is not None:
                loop = self._call._loop
                with contextlib.suppress(RuntimeError):  # the loop is closed
                    loop.call_soon_threadsafe(loop.call_later, _TAKEN_UP_WITHIN, _Leaving(rpc))
        except Exception:
            fault("gRPC call")


class _Leaving:
    """Ends a call that nobody reads any more, unless somebody soon does again.

    When it is called, or when it is let go: a loop that is closed forgets what it was to call later.
    """

    __slots__ = ("_left", "_rpc")

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc
        self._left = rpc.left = time.time_ns(), time.perf_counter()

    def __call__(self) -> None:
        if self._rpc.left is self._left:
            self._rpc.finish(CANCELLED, details=_LEFT, at=self._left)

    __del__ = __call__


def _rpc_of(call: Any) -> Rpc | None:
    """Of a call, or of the one that interceptors have made within it."""
    begun = call.__dict__.get("_interceptors_task")
    if begun is not None:
        if not begun.done() or begun.cancelled() or begun.exception() is not None:
            return None
        call = begun.result()
    kept = getattr(call, "__dict__", {})
    if _RPC not in kept:  # it may be an iterator of an interceptor around the call
        kept = getattr(kept.get("_call"), "__dict__", {})
    found: Rpc | None = kept.get(_RPC)
    return found

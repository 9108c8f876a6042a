"""Servers that were made before `init()`: found by the garbage collector, and changed where they stand.

What such a server of grpc.aio holds is in Cython, out of the reach of attributes. Its interceptors cannot be
changed, so calls that one of them refuses are not recorded.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import grpc
from grpc import _interceptor, _server, _utilities
from grpc.aio import _server as _aio_server

from otel_kit.sdk.notes import fault
from otel_kit.sdk.rpc.server import AioServerInterceptor, ServerInterceptor
from otel_kit.sdk.rpc.servers import Servers

__all__ = ["adopt", "starting"]


def adopt(servers: Servers) -> None:
    """Make older servers record their calls."""
    handlers = _utilities.DictionaryGenericHandler
    for found in gc.get_referrers(_server._Server, _aio_server.Server, handlers):
        try:
            if type(found) is handlers:
                servers.recorder.known.update(found._method_handlers)
            elif type(found) is _server._Server:
                _adopt_sync(found._state, servers)
            elif type(found) is _aio_server.Server:
                _adopt_aio(found._server, servers)
        except Exception:
            fault("gRPC server")


def starting(servers: Servers) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    """For ``start`` of servers of grpc.aio: until then, the service may add handlers."""

    def make(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def start(server: Any) -> Any:
            try:
                _adopt_aio(server._server, servers)
            except Exception:
                fault("gRPC server")
            return original(server)

        return start

    return make


def _adopt_sync(state: Any, servers: Servers) -> None:
    pipeline = state.interceptor_pipeline
    given = () if pipeline is None else pipeline.interceptors
    if not any(isinstance(one, ServerInterceptor) for one in given):
        state.interceptor_pipeline = _interceptor.service_pipeline(servers.sync(given))


def _adopt_aio(server: Any, servers: Servers) -> None:
    parts = gc.get_referents(server)
    if any(isinstance(one, AioServerInterceptor) for part in parts if type(part) is tuple for one in part):
        return
    handlers = next(part for part in parts if type(part) is list)
    recorded = next((one for one in handlers if isinstance(one, _Recorded)), None)
    if recorded is None:
        recorded = _Recorded(handlers, *servers.aio(()))
        handlers.insert(0, recorded)
    for part in parts:
        if type(part) is dict:
            recorded.take(part)


class _Details(NamedTuple):
    """Of any call of a method."""

    method: str
    invocation_metadata: Sequence[tuple[str, Any]]


class _Recorded(grpc.GenericRpcHandler):  # type: ignore[misc,type-arg,unused-ignore]
    """The first of the handlers of a server; it asks those that come after it.

    Args:
        all_: the handlers, to which the service may yet add.
        ours: wraps what they give.
    """

    def __init__(self, all_: list[Any], ours: AioServerInterceptor) -> None:
        self._all = all_
        self._ours = ours
        self._taken: set[str] = set()

    def take(self, handlers: dict[str, Any]) -> None:
        """Wrap handlers that stubs have registered by their method, each once; they come before others."""
        for path in handlers.keys() - self._taken:
            handlers[path] = self._ours.wrapped(handlers[path], _Details(path, ()))
            self._taken.add(path)

    def service(self, handler_call_details: Any) -> Any:
        """See ``grpc.GenericRpcHandler``."""
        found = (other.service(handler_call_details) for other in self._all if other is not self)
        handler = next((one for one in found if one is not None), None)
        return self._ours.wrapped(handler, handler_call_details)

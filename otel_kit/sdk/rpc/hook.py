"""Puts the interceptors into every gRPC server and channel.

The classes beneath ``grpc.server``, ``grpc.insecure_channel`` and their siblings are changed, not these
functions, so that ``from grpc import insecure_channel`` before `init()` is reached as well, and stubs made
later on a channel that is older. Out of reach: servers, aio channels and stubs that were made before.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any, Final

from otel_kit.sdk.notes import LOGGER
from otel_kit.sdk.patching import replace

__all__ = ["patch_grpc"]

_KINDS: Final = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")
_CONTRIB: Final = "opentelemetry.instrumentation.grpc"


def patch_grpc(grpc: ModuleType) -> None:
    """Change the classes of ``grpc`` and ``grpc.aio``."""
    import grpc._channel
    import grpc._server
    import grpc.aio._channel
    import grpc.aio._interceptor
    import grpc.aio._server
    from opentelemetry.trace import SpanKind

    from otel_kit.sdk.rpc import client as rpc_client
    from otel_kit.sdk.rpc import server as rpc_server
    from otel_kit.sdk.rpc.calls import Rpcs

    clients = Rpcs(SpanKind.CLIENT)
    replace(grpc._server._Server, "__init__", _with_interceptor(rpc_server.ServerInterceptor()))
    replace(grpc.aio._server.Server, "__init__", _with_interceptor(rpc_server.AioServerInterceptor()))
    replace(
        grpc.aio._channel.Channel,
        "__init__",
        _with_client_interceptors(lambda target: rpc_client.aio_client_interceptors(clients, target)),
    )
    replace(grpc.aio._interceptor._InterceptedStreamResponseMixin, "__aiter__", rpc_client.watching)
    for kind in _KINDS:
        replace(
            grpc._channel.Channel,
            kind,
            _intercepted(kind, lambda target: rpc_client.ClientInterceptor(clients, target)),
        )


def _with_interceptor(interceptor: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def init(server: Any, pool: Any, handlers: Any, interceptors: Any, *args: Any, **kwargs: Any) -> None:
            original(server, pool, handlers, (interceptor, *_others(interceptors)), *args, **kwargs)

        return init

    return make


def _with_client_interceptors(
    interceptors_for: Callable[[str], list[Any]],
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def init(
            channel: Any, target: str, options: Any, credentials: Any, compression: Any, interceptors: Any
        ) -> None:
            chain = [*_others(interceptors), *interceptors_for(target)]
            original(channel, target, options, credentials, compression, chain)

        return init

    return make


def _intercepted(
    kind: str, interceptor_for: Callable[[str], Any]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    import grpc

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def multicallable(channel: Any, method: str, *args: Any, **kwargs: Any) -> Any:
            # The channel as it was, with the one method that is needed here.
            raw: Any = SimpleNamespace(**{kind: lambda *a, **k: original(channel, *a, **k)})
            target = channel._channel.target().decode("utf-8", "replace")
            intercepted = grpc.intercept_channel(raw, interceptor_for(target))
            return getattr(intercepted, kind)(method, *args, **kwargs)

        return multicallable

    return make


def _others(interceptors: Any) -> list[Any]:
    """A service's interceptors without those of the contrib package, which would record each call twice."""
    given = list(interceptors or ())
    kept = [one for one in given if not type(one).__module__.startswith(_CONTRIB)]
    if len(kept) < len(given):
        LOGGER.info("otel-kit: calls are recorded by otel-kit, and not once more by %s", _CONTRIB)
    return kept

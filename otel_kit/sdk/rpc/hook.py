"""Puts our recording into gRPC: into the classes of servers, stubs and calls.

Those classes are changed, not ``grpc.server``, ``grpc.insecure_channel`` and their siblings, so that
``from grpc import insecure_channel`` before `init()` is reached as well, and channels and stubs that are
older. Out of reach are servers that were made before. The classes are private: where a version of gRPC has
others, one line says what is not recorded, and the service goes on.
"""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any, Final

from otel_kit.sdk.clients.catalogue import OUTCOMES
from otel_kit.sdk.config.rpc import RpcSettings
from otel_kit.sdk.imports import when_imported
from otel_kit.sdk.notes import LOGGER, fault
from otel_kit.sdk.patching import replace
from otel_kit.sdk.rpc.custom import CHOSEN, Custom, Side

__all__ = ["patch_grpc"]

Make = Callable[[Callable[..., Any]], Callable[..., Any]]
#: Where, which attribute, and what it becomes.
Patch = tuple[str, str, Make]
CONTRIB: Final = "opentelemetry.instrumentation.grpc"


def patch_grpc(_: ModuleType, settings: RpcSettings) -> None:
    """Change the classes of ``grpc`` and ``grpc.aio``."""
    from opentelemetry.trace import SpanKind

    from otel_kit.sdk.rpc.clients import Clients
    from otel_kit.sdk.rpc.recorder import Recorder

    servers, clients = Recorder(SpanKind.SERVER, settings), Recorder(SpanKind.CLIENT, settings)
    patches = (
        *_servers(servers),
        *_clients(Clients(clients, lambda: CHOSEN.get("client"))),
        *_aio_clients(Clients(clients, lambda: CHOSEN.get("aio client"))),
    )
    absent = [f"{where}.{name}" for where, name, make in patches if not _put(where, name, make)]
    if absent:
        LOGGER.warning(
            "otel-kit: this version of grpcio is not known, and some calls are not recorded: %s",
            ", ".join(absent),
        )
    OUTCOMES["grpc"] = "on", ""
    when_imported(CONTRIB, lambda _: _patch_contrib(servers))


def _patch_contrib(servers: Any) -> None:
    from otel_kit.sdk.rpc.instrumentor import patch_contrib

    patch_contrib(servers)


def _put(where: str, name: str, make: Make) -> bool:
    try:
        replace(pkgutil.resolve_name(where), name, make)
    except (ImportError, LookupError, AttributeError, TypeError, ValueError):
        return False
    return True


def _servers(recorder: Any) -> Iterator[Patch]:
    from otel_kit.sdk.rpc.server import AioServerInterceptor, ServerInterceptor, rejecting

    yield "grpc._server", "_reject_rpc", rejecting(recorder)
    yield "grpc._server._Server", "__init__", _with_interceptor("server", ServerInterceptor, recorder)
    yield (
        "grpc.aio._server.Server",
        "__init__",
        _with_interceptor("aio server", AioServerInterceptor, recorder),
    )


def _clients(clients: Any) -> Iterator[Patch]:
    from otel_kit.sdk.rpc.client import blocking, ongoing

    for kind, streamed in (("Unary", False), ("Stream", True)):
        unary = f"grpc._channel._{kind}UnaryMultiCallable"
        yield unary, "__call__", blocking(clients, streamed=streamed)
        yield unary, "with_call", blocking(clients, streamed=streamed, with_call=True)
        yield unary, "future", ongoing(clients, streamed=streamed, streams=False)
        stream = f"grpc._channel._{kind}StreamMultiCallable"
        yield stream, "__call__", ongoing(clients, streamed=streamed, streams=True)
    single = "grpc._channel._SingleThreadedUnaryStreamMultiCallable"
    yield single, "__call__", ongoing(clients, streamed=False, streams=True)


def _aio_clients(clients: Any) -> Iterator[Patch]:
    from otel_kit.sdk.rpc.client_aio import making, watching, watching_intercepted

    for request, streamed in (("Unary", False), ("Stream", True)):
        for response, streams in (("Unary", False), ("Stream", True)):
            make = making(clients, streamed=streamed, streams=streams)
            yield f"grpc.aio._call.{request}{response}Call", "__init__", make
    yield "grpc.aio._call._StreamResponseMixin", "__aiter__", watching
    yield "grpc.aio._interceptor._InterceptedStreamResponseMixin", "__aiter__", watching_intercepted


def _with_interceptor(side: Side, kind: Callable[..., Any], recorder: Any) -> Make:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        at = list(inspect.signature(original).parameters).index("interceptors") - 1

        def init(server: Any, *args: Any, **kwargs: Any) -> None:
            try:
                given = list((args[at] if len(args) > at else kwargs.get("interceptors")) or ())
                customs = tuple(Custom.of(one) for one in given if _is_theirs(one))
                ours = kind(recorder, _customs(side, customs))
                args, kwargs = _with(args, kwargs, at, _placed(ours, given))
            except Exception:
                fault("gRPC server")
            original(server, *args, **kwargs)

        return init

    return make


def _with(
    args: tuple[Any, ...], kwargs: dict[str, Any], at: int, interceptors: tuple[Any, ...]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if len(args) > at:
        return (*args[:at], interceptors, *args[at + 1 :]), kwargs
    return args, {**kwargs, "interceptors": interceptors}


def _customs(side: Side, own: tuple[Custom, ...]) -> Callable[[], Sequence[Custom]]:
    def customs() -> Sequence[Custom]:
        chosen = CHOSEN.get(side)
        return own if chosen is None else (*own, chosen)

    return customs


def _placed(ours: Any, given: list[Any]) -> tuple[Any, ...]:
    """A service's interceptors with ours in the place of those of the instrumentation package, or first."""
    first = next((at for at, one in enumerate(given) if _is_theirs(one)), 0)
    others = [one for one in given if not _is_theirs(one)]
    return (*others[:first], ours, *others[first:])


def _is_theirs(interceptor: Any) -> bool:
    return type(interceptor).__module__.startswith(CONTRIB)

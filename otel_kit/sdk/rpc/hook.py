"""Puts our recording into gRPC: into the classes of servers, stubs and calls.

Those classes are changed, not ``grpc.server``, ``grpc.insecure_channel`` and their siblings, so that
``from grpc import insecure_channel`` before `init()` is reached as well, and channels and stubs that are
older; servers that are older are sought. The classes are private: where a version of gRPC has others, one
line says what is not recorded, and the service goes on.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from otel_kit.sdk.clients.catalogue import OUTCOMES
from otel_kit.sdk.config.rpc import RpcSettings
from otel_kit.sdk.imports import when_imported
from otel_kit.sdk.notes import LOGGER, quietly
from otel_kit.sdk.patching import replace
from otel_kit.sdk.rpc.custom import CHOSEN, CONTRIB

__all__ = ["patch_grpc"]

Make = Callable[[Callable[..., Any]], Callable[..., Any]]
#: Where, which attribute, and what it becomes.
Patch = tuple[str, str, Make]


def patch_grpc(_: ModuleType, settings: RpcSettings) -> None:
    """Change the classes of ``grpc`` and ``grpc.aio``."""
    from opentelemetry.trace import SpanKind

    from otel_kit.sdk.rpc.clients import Clients
    from otel_kit.sdk.rpc.recorder import Recorder
    from otel_kit.sdk.rpc.servers import Servers

    servers, clients = Servers(Recorder(SpanKind.SERVER, settings)), Recorder(SpanKind.CLIENT, settings)
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
    quietly("older gRPC servers", lambda: _adopt_older(servers))
    OUTCOMES["grpc"] = "on", ""
    when_imported(CONTRIB, lambda _: _patch_contrib(servers.recorder))


def _adopt_older(servers: Any) -> None:
    from otel_kit.sdk.rpc.older import adopt

    adopt(servers)


def _patch_contrib(servers: Any) -> None:
    from otel_kit.sdk.rpc.instrumentor import patch_contrib

    patch_contrib(servers)


def _put(where: str, name: str, make: Make) -> bool:
    try:
        replace(pkgutil.resolve_name(where), name, make)
    except (ImportError, LookupError, AttributeError, TypeError, ValueError):
        return False
    return True


def _servers(servers: Any) -> Iterator[Patch]:
    from otel_kit.sdk.rpc.older import starting
    from otel_kit.sdk.rpc.server import knowing, rejecting
    from otel_kit.sdk.rpc.servers import making

    yield "grpc._utilities.DictionaryGenericHandler", "__init__", knowing(servers.recorder.known)
    yield "grpc._server", "_reject_rpc", rejecting(servers.recorder)
    yield "grpc._server._Server", "__init__", making(servers.sync)
    yield "grpc.aio._server.Server", "__init__", making(servers.aio)
    yield "grpc.aio._server.Server", "start", starting(servers)


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

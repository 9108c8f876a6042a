"""OpenTelemetry's own instrumentation of gRPC, with our recording beneath.

A service that calls ``GrpcInstrumentorServer().instrument()`` and its siblings, or that gives their
interceptors to servers and channels, gets each call recorded once; its filters, hooks and providers hold.
The package is changed when the service imports it, and never imported by us.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any, ClassVar, Final

from opentelemetry import trace
from opentelemetry.instrumentation.grpc import (
    GrpcAioInstrumentorClient,
    GrpcAioInstrumentorServer,
    GrpcInstrumentorClient,
    GrpcInstrumentorServer,
)

from otel_kit.sdk.imports import when_imported
from otel_kit.sdk.patching import replace
from otel_kit.sdk.rpc.custom import AROUND, CHOSEN, Custom, Side
from otel_kit.sdk.rpc.recorder import Recorder
from otel_kit.sdk.rpc.server import AioServerInterceptor, ServerInterceptor

__all__ = ["AioClient", "AioServer", "Client", "Server", "patch_contrib"]

#: Attribute of an interceptor of theirs with the one of ours in its place.
_OURS: Final = "_otel_kit_interceptor"


class _Ours:
    """What differs from theirs: nothing is wrapped, since all calls are recorded already."""

    side: ClassVar[Side]

    def __init__(self, filter_: Callable[[Any], Any] | None = None) -> None:
        # Theirs joins the excluded services by "or", which lets one undo the other.
        self._filter = filter_

    def _instrument(self, **kwargs: Any) -> None:
        provider = kwargs.get("tracer_provider")
        CHOSEN[self.side] = Custom(
            filter=kwargs.get("filter_", self._filter),
            request_hook=kwargs.get("request_hook"),
            response_hook=kwargs.get("response_hook"),
            tracer=None if provider is None else trace.get_tracer("otel_kit.grpc", tracer_provider=provider),
        )

    def _uninstrument(self, **_: Any) -> None:
        CHOSEN.pop(self.side, None)


class Server(_Ours, GrpcInstrumentorServer):
    """For ``grpc.server``."""

    side = "server"


class AioServer(_Ours, GrpcAioInstrumentorServer):
    """For ``grpc.aio.server``."""

    side = "aio server"


class Client(_Ours, GrpcInstrumentorClient):
    """For the channels of ``grpc``."""

    side = "client"


class AioClient(_Ours, GrpcAioInstrumentorClient):
    """For the channels of ``grpc.aio``."""

    side = "aio client"


def patch_contrib(servers: Recorder) -> None:
    """Change that package, the modules with its interceptors only once it loads them.

    Args:
        servers: records what servers made before `init()` serve through one of its interceptors.
    """
    for ours in (Server, AioServer, Client, AioClient):
        _replace_instrumentor(ours)
    package = "opentelemetry.instrumentation.grpc"
    when_imported(f"{package}._client", _replace_client)
    when_imported(f"{package}._aio_client", _replace_aio_client)
    when_imported(f"{package}._server", lambda module: _replace_server(module, servers))
    when_imported(f"{package}._aio_server", lambda module: _replace_aio_server(module, servers))


def _replace_instrumentor(ours: type[_Ours]) -> None:
    """Give a class of theirs, which the service may hold by its name already, what ours has."""
    theirs = ours.__bases__[1]

    def init(_: Any) -> Any:
        return lambda self, filter_=None: _Ours.__init__(self, filter_)

    def instrument(_: Any) -> Any:
        return lambda self, **kwargs: _Ours._instrument(self, **kwargs)

    def uninstrument(original: Any) -> Any:
        def either(self: Any, **kwargs: Any) -> Any:
            if self.side in CHOSEN:
                return _Ours._uninstrument(self, **kwargs)
            return original(self, **kwargs)  # it was instrumented before `init()`

        return either

    theirs.side = ours.side  # type: ignore[attr-defined]
    replace(theirs, "__init__", init)
    replace(theirs, "_instrument", instrument)
    replace(theirs, "_uninstrument", uninstrument)


def _replace_client(module: ModuleType) -> None:
    def make(_: Any) -> Any:
        def intercept(theirs: Any, request: Any, metadata: Any, _: Any, invoker: Callable[..., Any]) -> Any:
            token = AROUND.set(Custom.of(theirs))
            try:
                return invoker(request, metadata)
            finally:
                AROUND.reset(token)

        return intercept

    for name in ("intercept_unary", "intercept_stream"):
        replace(module.OpenTelemetryClientInterceptor, name, make)


def _replace_aio_client(module: ModuleType) -> None:
    def make(_: Any) -> Any:
        async def intercept(
            theirs: Any, continuation: Callable[[Any, Any], Awaitable[Any]], details: Any, request: Any
        ) -> Any:
            token = AROUND.set(Custom.of(theirs))
            try:
                return await continuation(details, request)
            finally:
                AROUND.reset(token)

        return intercept

    for request in ("Unary", "Stream"):
        for response in ("Unary", "Stream"):
            theirs = getattr(module, f"{request}{response}AioClientInterceptor")
            replace(theirs, f"intercept_{request}_{response}".lower(), make)


def _replace_server(module: ModuleType, recorder: Recorder) -> None:
    def make(_: Any) -> Any:
        def intercept(theirs: Any, continuation: Any, details: Any) -> Any:
            return _own(theirs, ServerInterceptor, recorder).intercept_service(continuation, details)

        return intercept

    replace(module.OpenTelemetryServerInterceptor, "intercept_service", make)


def _replace_aio_server(module: ModuleType, recorder: Recorder) -> None:
    def make(_: Any) -> Any:
        async def intercept(theirs: Any, continuation: Any, details: Any) -> Any:
            ours = _own(theirs, AioServerInterceptor, recorder)
            return await ours.intercept_service(continuation, details)

        return intercept

    replace(module.OpenTelemetryAioServerInterceptor, "intercept_service", make)


def _own(theirs: Any, kind: Callable[..., Any], recorder: Recorder) -> Any:
    """The interceptor of ours in the place of one of theirs."""
    found = theirs.__dict__.get(_OURS)
    if found is None:
        custom = (Custom.of(theirs),)
        found = theirs.__dict__[_OURS] = kind(recorder, lambda: custom)
    return found

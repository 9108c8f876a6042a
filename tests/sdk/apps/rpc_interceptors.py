"""Servers of both gRPC stacks with interceptors that log and refuse, given by keyword and by position."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import grpc.aio
from opentelemetry import trace

import otel_kit
from tests.sdk.apps.rpc_serving import serving
from tests.sdk.apps.say import say

UNARY: Any = grpc.unary_unary_rpc_method_handler
log = logging.getLogger("interceptors")


def path_of(details: Any) -> str:
    """Of a call."""
    return str(details.method)


def refused(request: bytes, context: Any) -> Any:
    """The handler in the place of one that shall not run; of either stack."""
    log.warning("refused %s", request.decode())
    return context.abort(grpc.StatusCode.UNAUTHENTICATED, "who are you")


async def aio_refused(request: bytes, context: Any) -> Any:
    """The same for grpc.aio."""
    await refused(request, context)


class Auth(grpc.ServerInterceptor):  # type: ignore[misc,type-arg,unused-ignore]
    """Logs, then refuses what has no token, and fails where it is told to."""

    def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """See grpc."""
        log.info("asked %s", path_of(handler_call_details))
        metadata = dict(handler_call_details.invocation_metadata)
        if "broken" in metadata:
            raise ValueError("no keys to check tokens with")
        return continuation(handler_call_details) if "token" in metadata else UNARY(refused)


class Around(grpc.ServerInterceptor):  # type: ignore[misc,type-arg,unused-ignore]
    """Puts a handler of its own around the service's."""

    def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """See grpc."""
        inner = continuation(handler_call_details).unary_unary

        def around(request: bytes, context: Any) -> Any:
            log.info("around %s", request.decode())
            return inner(request, context)

        return UNARY(around)


class AioAuth(grpc.aio.ServerInterceptor):  # type: ignore[misc,type-arg,unused-ignore]
    """The same for grpc.aio."""

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """See grpc."""
        log.info("asked %s", path_of(handler_call_details))
        await asyncio.sleep(0)
        metadata = dict(handler_call_details.invocation_metadata)
        if "broken" in metadata:
            raise ValueError("no keys to check tokens with")
        return await continuation(handler_call_details) if "token" in metadata else UNARY(aio_refused)


class AioAround(grpc.aio.ServerInterceptor):  # type: ignore[misc,type-arg,unused-ignore]
    """The same for grpc.aio."""

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """See grpc."""
        inner = (await continuation(handler_call_details)).unary_unary

        async def around(request: bytes, context: Any) -> Any:
            log.info("around %s", request.decode())
            return await inner(request, context)

        return UNARY(around)


def get(request: bytes, _: Any) -> bytes:
    """A handler."""
    log.info("served %s", request.decode())
    return request


async def aio_get(request: bytes, context: Any) -> bytes:
    """A handler."""
    return get(request, context)


def handlers(name: str, one: Any) -> Any:
    """Of one method."""
    return grpc.method_handlers_generic_handler(name, {"Get": UNARY(one)})


def calls(name: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """What is sent to a server: a request, which its log lines tell, and metadata."""
    return [
        (f"{name} fine", [("token", "t")]),
        (f"{name} refused", []),
        (f"{name} broken", [("broken", "yes")]),
    ]


async def called(name: str, port: int) -> None:
    """Make the calls of a server, each in a span of its own."""
    channel: Any
    async with grpc.aio.insecure_channel(f"localhost:{port}") as channel:
        for request, metadata in calls(name):
            with (
                trace.get_tracer("caller").start_as_current_span(request),
                contextlib.suppress(grpc.RpcError),
            ):
                await channel.unary_unary(f"/{name}.Shop/Get")(request.encode(), metadata=metadata)


async def main() -> None:
    """Four servers."""
    pool = ThreadPoolExecutor(2)
    made: dict[str, Any] = {
        "sync.Keyword": grpc.server(pool, interceptors=[Auth(), Around()]),
        "sync.Position": grpc.server(pool, None, [Auth(), Around()]),
        "aio.Keyword": grpc.aio.server(interceptors=[AioAuth(), AioAround()]),
        "aio.Position": grpc.aio.server(None, None, (AioAuth(), AioAround())),
    }
    for name, server in made.items():
        server.add_generic_rpc_handlers((handlers(f"{name}.Shop", aio_get if "aio" in name else get),))
        async with serving(server) as port:
            await called(name, port)


if __name__ == "__main__":
    otel_kit.init(service="interceptors")
    asyncio.run(main())
    say("all calls made")

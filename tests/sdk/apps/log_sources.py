"""Logs from where nobody thinks of it: warnings, loggers without handlers, servers, gRPC."""

from __future__ import annotations

import asyncio
import logging
import sys
import warnings

from opentelemetry import trace

import otel_kit


async def app(scope: object, receive: object, send: object) -> None:
    """An application that is never asked."""
    del scope, receive, send


def hypercorn() -> None:
    """Start one, and stop it at once."""
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config = Config()
    config.bind = ["127.0.0.1:0"]
    config.accesslog = "-"

    async def stop() -> None:
        await asyncio.sleep(0)

    asyncio.run(serve(app, config, shutdown_trigger=stop))
    logging.getLogger("hypercorn.access").info("GET / 200")


def grpc() -> None:
    """A handler that crashes, which gRPC logs."""
    import grpc

    def crash(request: bytes, context: grpc.ServicerContext) -> bytes:
        del request, context
        raise ValueError("no room")

    class Handlers(grpc.GenericRpcHandler):  # type: ignore[type-arg]
        def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:  # type: ignore[type-arg]
            del details
            return grpc.unary_unary_rpc_method_handler(crash)

    from concurrent.futures import ThreadPoolExecutor

    server = grpc.server(ThreadPoolExecutor(1), handlers=[Handlers()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        error = channel.unary_unary("/shop.Shop/Buy", bytes, bytes).future(b"").exception()
        assert isinstance(error, grpc.RpcError)
    server.stop(10).wait()  # without the time, gRPC's core might write to stderr that calls were cancelled


def main(mode: str) -> None:
    """Let all of them say something."""
    otel_kit.init(service="logs", env="test", version="2", logs=mode)  # type: ignore[arg-type]
    with trace.get_tracer("logs").start_as_current_span("work"):
        warnings.warn("an old way", FutureWarning, stacklevel=1)
    apart = logging.getLogger("apart")
    apart.propagate = False
    apart.warning("nobody listens")
    apart.info("below the last resort")
    if mode == "both":
        hypercorn()
        grpc()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""A gRPC server that logs, for callers from outside."""

from __future__ import annotations

import logging
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

import otel_kit

log = logging.getLogger("edge")


class Edge(grpc.GenericRpcHandler):  # type: ignore[type-arg]
    """Answers each method with what it was asked."""

    def service(self, _: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any]:
        """One handler for all."""

        def echo(request: bytes, _: grpc.ServicerContext) -> bytes:
            log.info("called")
            return request

        return grpc.unary_unary_rpc_method_handler(echo)


if __name__ == "__main__":
    otel_kit.init(service="edge")
    server = grpc.server(ThreadPoolExecutor(2), handlers=[Edge()])
    server.add_insecure_port(f"127.0.0.1:{os.environ['PORT']}")
    server.start()
    server.wait_for_termination()

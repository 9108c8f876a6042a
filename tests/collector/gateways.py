"""Gateways that a node collector sends traces to over gRPC: each counts what it was sent, and can refuse."""

from __future__ import annotations

import collections
import contextlib
from collections.abc import Callable, Iterator
from concurrent import futures
from dataclasses import dataclass, field

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

__all__ = ["Gateway", "listening"]


@dataclass
class Gateway(trace_service_pb2_grpc.TraceServiceServicer):
    """`taken` is how often each span id was accepted, `refused` the number of requests that were not."""

    address: str
    away: bool = False
    taken: collections.Counter[int] = field(default_factory=collections.Counter)
    refused: int = 0

    def Export(  # noqa: N802 (the name of the call)
        self, request: ExportTraceServiceRequest, context: grpc.ServicerContext
    ) -> ExportTraceServiceResponse:
        if self.away:
            self.refused += 1
            context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                self.taken.update(int.from_bytes(span.span_id, "big") for span in scope.spans)
        return ExportTraceServiceResponse()


@contextlib.contextmanager
def listening(gateway: Gateway) -> Iterator[Gateway]:
    """Serve until the end of the block."""
    server = grpc.server(futures.ThreadPoolExecutor(8))
    add: Callable[[Gateway, grpc.Server], None] = trace_service_pb2_grpc.add_TraceServiceServicer_to_server
    add(gateway, server)
    server.add_insecure_port(gateway.address)
    server.start()
    try:
        yield gateway
    finally:
        server.stop(None).wait()

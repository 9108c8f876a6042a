"""The tests of OpenTelemetry's instrumentation of gRPC, with our recording beneath its classes.

It has the conventions of 2021, ours those of today. What only has another name is named in their way before
the tests look at it, so that they still tell whether the spans are right.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

DISTRIBUTION: Final = "opentelemetry-instrumentation-grpc"
TESTS: Final = ("tests",)
LIBRARIES: Final = ()
#: Their generated modules are older than what protobuf takes in its fast implementation.
ENVIRONMENT: Final = {"PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python"}


def substitute() -> None:
    """Ours in gRPC, which changes their package as soon as it is imported."""
    import grpc
    from opentelemetry import trace
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    from otel_kit.sdk.config.rpc import RpcSettings
    from otel_kit.sdk.rpc.hook import patch_grpc
    from otel_kit.sdk.rpc.recorder import Recorder

    # Each of the tests sets a provider of its own; a service has one.
    tracer: Any = property(lambda _: trace.get_tracer("otel_kit.grpc"), lambda _, __: None)
    Recorder._tracer = tracer
    patch_grpc(grpc, RpcSettings(excluded_services=frozenset(), peer_services={}))
    _one_side_only()
    finished = InMemorySpanExporter.get_finished_spans

    def get_finished_spans(exporter: Any) -> Sequence[Any]:
        return tuple(_renamed(span) for span in finished(exporter))

    InMemorySpanExporter.get_finished_spans = get_finished_spans  # type: ignore[assignment,method-assign]


def _one_side_only() -> None:
    """The tests instrument one side of a call and look at its span alone; we always record both."""
    from otel_kit.sdk.rpc import clients, server
    from otel_kit.sdk.rpc.custom import AROUND

    ours: Any = clients.Clients
    handlers: Any = server._Handlers
    begin, wrapped = ours.begin, handlers.wrapped

    def begin_if_chosen(self: Any, *args: Any) -> Any:
        return begin(self, *args) if AROUND.get() or self._custom() else None

    def wrapped_if_chosen(self: Any, handler: Any, details: Any) -> Any:
        return wrapped(self, handler, details) if self._customs() else handler

    ours.begin, handlers.wrapped = begin_if_chosen, wrapped_if_chosen


def _renamed(span: Any) -> Any:
    """A span of ours with the names of theirs."""
    import grpc
    from opentelemetry.instrumentation.grpc.version import __version__
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    attributes = dict(span.attributes or {})
    if "rpc.response.status_code" not in attributes:
        return span
    service, _, method = str(attributes["rpc.method"]).rpartition("/")
    code = grpc.StatusCode[str(attributes["rpc.response.status_code"])].value[0]
    attributes |= {"rpc.service": service, "rpc.method": method, "rpc.grpc.status_code": code}
    if "client.address" in attributes:
        attributes["net.peer.ip"] = f"[{attributes['client.address']}]"
        attributes["net.peer.name"] = "localhost"
    span._name = f"/{service}/{method}"
    span._attributes = attributes
    span._instrumentation_scope = InstrumentationScope(
        "opentelemetry.instrumentation.grpc", __version__, "https://opentelemetry.io/schemas/1.11.0"
    )
    return span

"""Begins calls of one side: knows their methods, makes their spans, and counts those that go on."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from opentelemetry import context as context_api
from opentelemetry import metrics, trace
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, Context
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.trace import SpanKind

from otel_kit import conventions
from otel_kit.sdk.config.rpc import RpcSettings
from otel_kit.sdk.rpc.call import Instruments, Method, Rpc
from otel_kit.sdk.rpc.carrier import incoming
from otel_kit.sdk.rpc.names import address, peer_service

__all__ = ["Recorder", "suppressed"]

#: https://opentelemetry.io/docs/specs/semconv/rpc/rpc-metrics/
DURATIONS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
MESSAGES: Final = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 10000.0)
#: The name of all methods that a server does not have: anybody can make them up.
OTHER: Final = "_OTHER"
#: Methods (of clients: at each target) that are kept; a program has fewer, unless it makes names of data.
_KEPT: Final = 1000
#: Targets that measurements name, for the same reason.
_TARGETS: Final = 100
#: Methods that measurements name though no handler is known to have them: callers can make names up.
_UNKNOWN: Final = 100
_LONGEST: Final = 256
#: What tells nothing: probes, and streams by which clients of Google wait for news as long as they run.
_UNRECORDED: Final = (
    "/grpc.health.v1.",
    "/grpc.reflection.",
    "/google.pubsub.v1.Subscriber/StreamingPull",
    "/google.firestore.v1.Firestore/Listen",
)
_NO_TIME: Final = 1e8  # seconds; "no deadline" is a huge number in grpc, and None in grpc.aio


def suppressed() -> bool:
    """True where instrumentation is switched off, as exporters do for their own calls."""
    current = context_api.get_current()
    return bool(current.get(_SUPPRESS_INSTRUMENTATION_KEY) or current.get("suppress_instrumentation"))


class Recorder:
    """Begins calls.

    Args:
        kind: SERVER or CLIENT.
        settings: what is recorded.
    """

    def __init__(self, kind: SpanKind, settings: RpcSettings) -> None:
        side = "server" if kind is SpanKind.SERVER else "client"
        self._kind = kind
        self._settings = settings
        #: Methods of the service's handlers.
        self.known: set[str] = set()
        self._unknown: set[str] = set()
        self._methods: dict[tuple[str, str], Method] = {}
        self._targets: set[str] = set()
        self._tracer = trace.get_tracer("otel_kit.grpc")
        meter = metrics.get_meter("otel_kit.grpc")
        self.instruments = _instruments(meter, side)
        meter.create_observable_up_down_counter(
            f"rpc.{side}.active_calls",
            [self._active],
            unit="{call}",
            description=f"gRPC calls that go on, as the {side} sees them.",
        )
        os.register_at_fork(after_in_child=self._forget)

    def method(self, path: str, target: str = "") -> Method:
        """What is known of ``/pkg.Service/Method``, of a client at its `target`."""
        found = self._methods.get((path, target))
        if found is None:
            found = self._method(path, target)
            if len(self._methods) < _KEPT:
                self._methods[path, target] = found
        return found

    def asked(self, path: str) -> Method:
        """What is known of a method that a caller has named: an interceptor may answer to any name."""
        if path not in self.known and path not in self._unknown:
            if len(self._unknown) >= _UNKNOWN:
                return self._nameless(path)
            self._unknown.add(path)
        return self.method(path)

    def _nameless(self, path: str) -> Method:
        return Method(
            OTHER,
            recorded=not path.startswith(_UNRECORDED),
            on_spans={"rpc.method_original": path.lstrip("/")[:_LONGEST]},
        )

    def _method(self, path: str, target: str) -> Method:
        service = path.lstrip("/").partition("/")[0]
        left_out = path.startswith(_UNRECORDED) or service in self._settings.excluded_services
        where: dict[str, str | int] = dict(address("server", target))
        on_points = dict(where)
        if target not in self._targets:
            if len(self._targets) < _TARGETS:
                self._targets.add(target)
            else:
                on_points.clear()
        behind = peer_service(target, self._settings.peer_services)
        if behind is not None:
            where["peer.service"] = behind
        return Method(path.lstrip("/"), recorded=not left_out, on_spans=where, on_points=on_points)

    def serve(
        self, method: Method, context: Any, arrived: tuple[int, float] | None, tracer: trace.Tracer | None
    ) -> Rpc:
        """A call that has arrived, with the caller's context as parent.

        Args:
            method: of the call.
            context: gRPC's context of the handler.
            arrived: when it came by the wall clock (ns) and by ``time.perf_counter``; None for now.
            tracer: another one than ours.
        """
        now = time.perf_counter()
        client = address("client", context.peer())
        attributes: dict[str, str | int | float] = {**method.attributes, **client}
        left = context.time_remaining()
        if left is not None and left < _NO_TIME:
            attributes["rpc.deadline.remaining"] = left if arrived is None else left + now - arrived[1]
        parent, links = incoming(
            context.invocation_metadata(), f"/{method.name}", client.get("client.address")
        )
        rpc = self._begin(method, parent, attributes, arrived, tracer, links)
        if left is not None and left < _NO_TIME:
            rpc.expires = now + left
        return rpc

    def send(self, method: Method, tracer: trace.Tracer | None) -> Rpc:
        """A call that is about to be made, within the current span."""
        return self._begin(method, context_api.get_current(), method.attributes, None, tracer)

    def refuse(
        self,
        path: str,
        metadata: Iterable[tuple[str, Any]] | None,
        code: str,
        error: BaseException | None = None,
        *,
        known: bool = True,
    ) -> None:
        """Record a call that reaches no handler.

        Args:
            path: its method.
            metadata: what came with it.
            code: what it is answered.
            error: what made the server refuse it.
            known: False for a method that the server does not have.
        """
        method = self.asked(path) if known else self._nameless(path)
        if method.recorded:
            parent, links = incoming(metadata, path, None)
            self._begin(method, parent, method.attributes, None, None, links).finish(code, error)

    def _begin(
        self,
        method: Method,
        parent: Context,
        attributes: Mapping[str, str | int | float],
        arrived: tuple[int, float] | None,
        tracer: trace.Tracer | None,
        links: list[trace.Link] | None = None,
    ) -> Rpc:
        start, began = arrived or (None, time.perf_counter())
        # The conventions name the system where the method is not known.
        name = "grpc" if method.name == OTHER else method.name
        span = (tracer or self._tracer).start_span(
            name, context=parent, kind=self._kind, attributes=attributes, links=links, start_time=start
        )
        return Rpc(method, self.instruments, span, trace.set_span_in_context(span, parent), began)

    def _active(self, _: CallbackOptions) -> Iterable[Observation]:
        methods = (*self._methods.values(),)
        return [Observation(len(method.live), method.kind) for method in methods if method.recorded]

    def _forget(self) -> None:
        """In a child of a fork: the calls of the parent are none of its own."""
        for method in (*self._methods.values(),):
            method.live.clear()


def _instruments(meter: metrics.Meter, side: str) -> Instruments:
    def messages(kind: str) -> metrics.Histogram:
        return meter.create_histogram(
            f"rpc.{side}.{kind}s_per_rpc",
            unit="{count}",
            description=f"{kind.capitalize()} messages of a gRPC call that streams them.",
            explicit_bucket_boundaries_advisory=MESSAGES,
        )

    server = side == "server"
    return Instruments(
        duration=meter.create_histogram(
            conventions.RPC_SERVER_DURATION if server else conventions.RPC_CLIENT_DURATION,
            unit="s",
            description=f"Duration of gRPC calls, as the {side} sees them.",
            explicit_bucket_boundaries_advisory=DURATIONS,
        ),
        requests=messages("request"),
        responses=messages("response"),
        server=server,
    )

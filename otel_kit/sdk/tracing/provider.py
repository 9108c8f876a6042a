"""The SDK's provider with our tracers."""

from __future__ import annotations

import threading
from typing import Any

from opentelemetry import trace as api
from opentelemetry.sdk import trace as sdk
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import Sampler

from otel_kit.sdk.notes import fault
from otel_kit.sdk.tracing.ids import Ids
from otel_kit.sdk.tracing.libraries import tracer_class
from otel_kit.sdk.tracing.processors import Processors
from otel_kit.sdk.tracing.tracer import Tracer

__all__ = ["TracerProvider"]


class TracerProvider(sdk.TracerProvider):
    """Takes what the SDK's takes."""

    def __init__(
        self,
        sampler: Sampler | None = None,
        resource: Resource | None = None,
        shutdown_on_exit: bool = True,
        active_span_processor: Any = None,
        id_generator: IdGenerator | None = None,
        span_limits: sdk.SpanLimits | None = None,
        **others: Any,
    ) -> None:
        super().__init__(
            sampler,
            resource,
            shutdown_on_exit,
            active_span_processor or Processors(),
            Ids() if id_generator is None else id_generator,
            span_limits,
            **others,
        )

    @property
    def _tracers_lock(self) -> Any:
        """One that lets a signal handler or a finalizer through that asks for a tracer amid `get_tracer`."""
        return self._reentrant

    @_tracers_lock.setter
    def _tracers_lock(self, _: Any) -> None:
        # The SDK sets a new one at the beginning, and in each child process.
        self._reentrant = threading.RLock()

    def get_tracer(self, *args: Any, **kwargs: Any) -> api.Tracer:
        """The tracer for a scope, always the same; never raises."""
        try:
            made: Any = super().get_tracer(*args, **kwargs)
        except Exception:  # of a scope that is none, or as Python ends and imports nothing any more
            fault("making a tracer")
            return api.NoOpTracer()
        if type(made) is sdk.Tracer:
            # The SDK makes it and knows it from now on; whoever else has got hold of it meanwhile has the
            # same tracer, with our ways.
            made.__class__ = tracer_class(made._instrumentation_scope.name)
            Tracer.prepare(made)  # type: ignore[arg-type]
        tracer: api.Tracer = made
        return tracer

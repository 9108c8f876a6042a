"""Builds the meter provider and the reader that sends what it collects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opentelemetry.sdk.metrics import (
    AlwaysOffExemplarFilter,
    AlwaysOnExemplarFilter,
    ExemplarFilter,
    TraceBasedExemplarFilter,
)

from otel_kit.sdk.metrics.delta import DeltaReader
from otel_kit.sdk.metrics.provider import KitMeterProvider
from otel_kit.sdk.metrics.runtime import Runtime

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource

    from otel_kit.sdk.config.metrics import Exemplars, MetricSettings
    from otel_kit.sdk.delivery.outbox import Outbox
    from otel_kit.sdk.delivery.tally import Tally
    from otel_kit.sdk.delivery.writer import Writer
    from otel_kit.sdk.otlp.wire import Redact

__all__ = ["make_meters"]

_FILTERS: Final[dict[Exemplars, type[ExemplarFilter]]] = {
    "trace_based": TraceBasedExemplarFilter,
    "always_on": AlwaysOnExemplarFilter,
    "always_off": AlwaysOffExemplarFilter,
}


def make_meters(
    resource: Resource,
    outbox: Outbox,
    tally: Tally,
    writer: Writer,
    *,
    interval: float,
    settings: MetricSettings,
    redact: Redact | None,
) -> tuple[KitMeterProvider, DeltaReader]:
    """The provider, and the stage of the lifecycle that collects from it every `interval` seconds."""
    reader = DeltaReader(outbox, tally, writer, interval=interval, settings=settings, redact=redact)
    provider = KitMeterProvider(
        [reader],
        resource,
        exemplar_filter=_FILTERS[settings.exemplars](),
        shutdown_on_exit=False,
        cardinality_limit=settings.cardinality_limit,
        redact=redact,
    )
    if settings.runtime:
        runtime = Runtime()
        runtime.observe(provider.get_meter("otel_kit.runtime"))
        provider.renewing(runtime.renew_after_fork)
    return provider, reader

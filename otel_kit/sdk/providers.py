"""Builds the three providers of the SDK and what stands between them and the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.version import __version__ as sdk_version

from otel_kit import conventions
from otel_kit.sdk.context.on_spans import BaggageOnSpans
from otel_kit.sdk.context.trust import with_trust
from otel_kit.sdk.delivery.outbox import Outbox
from otel_kit.sdk.delivery.senders import make_sender
from otel_kit.sdk.delivery.tally import Signal, Tally
from otel_kit.sdk.delivery.writer import Writer
from otel_kit.sdk.lifecycle import Lifecycle, Stage
from otel_kit.sdk.logs.loggers import Loggers
from otel_kit.sdk.metrics.pipeline import make_meters
from otel_kit.sdk.privacy.redact import make_redactor
from otel_kit.sdk.tracing.pipeline import make_tracers
from otel_kit.sdk.tracing.rules import make_sampler

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

    from otel_kit.sdk.config.settings import Settings
    from otel_kit.sdk.config.targets import Target
    from otel_kit.sdk.delivery.batch import BatchQueue
    from otel_kit.sdk.metrics.delta import DeltaReader
    from otel_kit.sdk.metrics.provider import KitMeterProvider

__all__ = ["Pipelines", "build"]

#: Bytes of encoded requests that wait for a collector that is away; at 400 bytes a span about 40,000 spans.
OUTBOX_BYTES: Final[dict[Signal, int]] = {"traces": 16_000_000, "metrics": 8_000_000, "logs": 16_000_000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipelines:
    """The providers of the signals that are on (of logs what makes one), their ways, and the lifecycle."""

    tracer_provider: TracerProvider | None
    meter_provider: MeterProvider | None
    loggers: Loggers | None
    reader: DeltaReader | None
    outboxes: Mapping[Signal, Outbox]
    tallies: Mapping[Signal, Tally]
    lifecycle: Lifecycle

    def update_resource(self, change: Resource) -> None:
        """Add to the resource, or change it; tracers and loggers that there are follow."""
        providers: list[Any] = [self.tracer_provider, self.meter_provider]
        for provider in providers:
            if provider is not None:
                provider._update_resource(change)
        if self.loggers is not None:
            self.loggers.update_resource(change)


def build(settings: Settings) -> Pipelines:
    """Providers as the settings want them; no thread runs yet and nothing is global yet."""
    writer = Writer(
        settings.instance, shared=settings.resource.get(conventions.K8S_POD_UID) == settings.instance
    )
    resource = Resource(
        {
            "telemetry.sdk.language": "python",
            "telemetry.sdk.name": "opentelemetry",
            "telemetry.sdk.version": sdk_version,
            **settings.resource,
            conventions.SERVICE_INSTANCE_ID: writer.name,
        }
    )
    tallies = {signal: _tally(signal, target) for signal, target in _targets(settings)}
    outboxes = {
        signal: Outbox(
            make_sender(signal, target), tallies[signal], limit=OUTBOX_BYTES[signal], timeout=target.timeout
        )
        for signal, target in _targets(settings)
    }
    meters, reader = _meters(settings, resource, outboxes, tallies, writer)
    tracers, spans = _tracers(settings, resource, outboxes, tallies, meters)
    loggers = _loggers(settings, resource, outboxes, tallies, meters)
    logs = None if loggers is None else loggers.queue
    stages: list[Stage] = [stage for stage in (spans, logs, reader) if stage is not None]
    if meters is not None:
        for tally in tallies.values():
            tally.report_to(meters)

    def renew() -> None:
        writer.renew_after_fork()
        if meters is not None:
            meters.renew_after_fork()

    pipelines = Pipelines(
        tracer_provider=tracers,
        meter_provider=meters,
        loggers=loggers,
        reader=reader,
        outboxes=outboxes,
        tallies=tallies,
        lifecycle=Lifecycle(stages, list(tallies.values()), budget=settings.shutdown_timeout, renew=renew),
    )
    writer.on_change = lambda: pipelines.update_resource(
        Resource({conventions.SERVICE_INSTANCE_ID: writer.name})
    )
    return pipelines


def _targets(settings: Settings) -> list[tuple[Signal, Target]]:
    signals: tuple[Signal, ...] = ("traces", "metrics", "logs")
    return [(signal, settings.targets[signal]) for signal in signals if signal in settings.targets]


def _tally(signal: Signal, target: Target) -> Tally:
    return Tally(signal, protocol=target.protocol, endpoint=target.shown)


def _meters(
    settings: Settings,
    resource: Resource,
    outboxes: Mapping[Signal, Outbox],
    tallies: Mapping[Signal, Tally],
    writer: Writer,
) -> tuple[KitMeterProvider | None, DeltaReader | None]:
    if "metrics" not in outboxes:
        return None, None
    return make_meters(
        resource,
        outboxes["metrics"],
        tallies["metrics"],
        writer,
        interval=settings.metric_interval,
        settings=settings.metrics,
        redact=make_redactor(settings.privacy),
    )


def _tracers(
    settings: Settings,
    resource: Resource,
    outboxes: Mapping[Signal, Outbox],
    tallies: Mapping[Signal, Tally],
    meters: MeterProvider | None,
) -> tuple[TracerProvider | None, BatchQueue[ReadableSpan] | None]:
    if "traces" not in outboxes:
        return None, None
    provider, queue = make_tracers(
        resource,
        outboxes["traces"],
        tallies["traces"],
        sampler=with_trust(make_sampler(settings.tracing), settings.context),
        meters=meters,
        redact=make_redactor(settings.privacy),
    )
    if settings.context.baggage_attributes:
        provider.add_span_processor(BaggageOnSpans(settings.context.baggage_attributes))
    return provider, queue


def _loggers(
    settings: Settings,
    resource: Resource,
    outboxes: Mapping[Signal, Outbox],
    tallies: Mapping[Signal, Tally],
    meters: MeterProvider | None,
) -> Loggers | None:
    if "logs" not in outboxes:
        return None
    return Loggers(
        resource,
        outboxes["logs"],
        tallies["logs"],
        meters=meters,
        redact=make_redactor(settings.privacy),
        redacted=settings.logs.mode == "both",  # for the lines on stdout
    )

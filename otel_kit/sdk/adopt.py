"""What the code says once ``otel-kit run`` has set everything up by the environment: its arguments win.

What goes through one place can be changed while it runs, and a signal can be stopped. What was hooked into a
library, or was not, stays as it is.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.resources import Resource

from otel_kit.sdk.context.trust import with_trust
from otel_kit.sdk.delivery.senders import make_sender
from otel_kit.sdk.tracing.rules import make_sampler

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_kit.sdk.config.settings import Settings
    from otel_kit.sdk.providers import Pipelines

__all__ = ["adopt", "adopted"]


def adopted(now: Settings, wanted: Settings) -> Settings:
    """The settings as `adopt` can make them, and those that it cannot change as they are."""
    only_lines = (now.logs.mode, wanted.logs.mode) == ("both", "stdout")
    return replace(
        now,
        resource=wanted.resource,
        targets={signal: wanted.targets[signal] for signal in now.targets if signal in wanted.targets},
        metric_interval=wanted.metric_interval,
        shutdown_timeout=wanted.shutdown_timeout,
        tracing=wanted.tracing,
        logs=replace(now.logs, level=wanted.logs.level, mode="stdout" if only_lines else now.logs.mode),
        problems=wanted.problems,
        origins=wanted.origins,
    )


def adopt(pipelines: Pipelines, settings: Settings, identify: Callable[[Settings], None]) -> None:
    """Go on with these settings, see `adopted`; what was recorded before goes to the new place as well.

    Args:
        pipelines: those of the process.
        settings: that differ from theirs in what can be changed.
        identify: has the lines on stdout follow.
    """
    pipelines.update_resource(Resource(dict(settings.resource)))
    identify(settings)
    for signal, outbox in pipelines.outboxes.items():
        target = settings.targets.get(signal)
        if target is None:
            outbox.refuse()
        else:
            outbox.redirect(make_sender(signal, target), timeout=target.timeout)
            pipelines.tallies[signal].name_target(target.protocol, target.shown)
    pipelines.lifecycle.budget = settings.shutdown_timeout
    if pipelines.reader is not None:
        pipelines.reader.interval = settings.metric_interval
    if settings.logs.level is not None:
        logging.getLogger().setLevel(settings.logs.level)
    tracers: Any = pipelines.tracer_provider
    if tracers is not None:
        tracers.sampler = with_trust(make_sampler(settings.tracing), settings.context)
        with tracers._tracers_lock:
            for tracer in tracers._tracers.values():
                tracer.sampler = tracers.sampler

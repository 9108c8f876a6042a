"""Puts the parts together: what `init` does about logs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from otel_kit import conventions
from otel_kit.sdk import under_test
from otel_kit.sdk.logs import from_otel
from otel_kit.sdk.logs.crashes import watch
from otel_kit.sdk.logs.health import AccessLines
from otel_kit.sdk.logs.intake import Intake, Stdout
from otel_kit.sdk.logs.lines import Lines
from otel_kit.sdk.logs.redaction import EntryRedactor
from otel_kit.sdk.logs.takeover import take_over
from otel_kit.sdk.notes import LOGGER, quietly
from otel_kit.sdk.privacy.redact import make_redactor

if TYPE_CHECKING:
    from otel_kit.sdk.config.settings import Settings
    from otel_kit.sdk.logs.loggers import Loggers
    from otel_kit.sdk.privacy.settings import PrivacySettings

__all__ = ["begin"]

_IDENTITY = {
    "service": conventions.SERVICE_NAME,
    "env": conventions.DEPLOYMENT_ENVIRONMENT,
    "version": conventions.SERVICE_VERSION,
}


def begin(
    settings: Settings, loggers: Loggers | None, before_end: Callable[[Callable[[], None]], object]
) -> Callable[[Settings], None]:
    """Take records from now on; what is returned has the lines on stdout tell of another service.

    Args:
        settings: those of the process.
        loggers: the way to OTLP; None without one.
        before_end: registers what is to be done before the process ends.
    """
    logs = settings.logs
    stdout = _stdout(settings) if logs.mode in ("stdout", "both") else None
    if stdout is None and loggers is None:
        return lambda _: None
    intake = Intake(
        stdout=stdout,
        loggers=loggers,
        redactor=None if stdout is None else _redactor(settings.privacy),
        baggage=settings.context.baggage_attributes,
    )
    if logs.limits:
        _limit(intake, settings, before_end)
    if stdout is None and logging.lastResort is not None and not logging.getLogger().handlers:
        # Where all goes to the collector alone, nobody would read that it cannot be reached.
        LOGGER.addHandler(logging.lastResort)
    take_over(intake, level=logs.level)
    if loggers is not None:
        from_otel.bridge(intake)
    AccessLines(settings.http.health_routes).watch()
    if not under_test.active:  # pytest has hooks of its own, and reports what they see
        quietly("uncaught exceptions", lambda: watch(intake))
    return (lambda _: None) if stdout is None else lambda other: intake.write_to(_stdout(other))


def _redactor(privacy: PrivacySettings) -> EntryRedactor | None:
    redact = make_redactor(privacy)
    if redact is None:
        return None
    own = make_redactor(replace(privacy, mode="default")) if privacy.mode == "allow-list" else redact
    return EntryRedactor(redact, own or redact)


def _stdout(settings: Settings) -> Stdout:
    logs = settings.logs
    if logs.line == "text":
        from otel_kit.sdk.logs.text import TextLines

        return Stdout(TextLines())
    identity = {k: str(settings.resource[key]) for k, key in _IDENTITY.items() if key in settings.resource}
    return Stdout(Lines(identity, style=logs.line, project=logs.project))


def _limit(intake: Intake, settings: Settings, before_end: Callable[[Callable[[], None]], object]) -> None:
    from opentelemetry import metrics

    from otel_kit.sdk.logs.limits import Limits

    limits = Limits(settings.logs.limits, partial(intake.take, always=True))
    limits.start()
    intake.limit(limits.allows)
    before_end(limits.report)
    metrics.get_meter("otel_kit").create_observable_counter(
        "otel_kit.log.left_out",
        callbacks=[limits.observe],
        unit="{log_record}",
        description="Records that the limits of the service leave out",
    )

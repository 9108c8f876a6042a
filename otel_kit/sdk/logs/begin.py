"""Puts the parts together: what `init` does about logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_kit import conventions
from otel_kit.sdk.logs.intake import Intake, Stdout
from otel_kit.sdk.logs.lines import Lines
from otel_kit.sdk.logs.takeover import take_over

if TYPE_CHECKING:
    from otel_kit.sdk.config.settings import Settings
    from otel_kit.sdk.logs.loggers import Loggers

__all__ = ["begin"]

_IDENTITY = {
    "service": conventions.SERVICE_NAME,
    "env": conventions.DEPLOYMENT_ENVIRONMENT,
    "version": conventions.SERVICE_VERSION,
}


def begin(settings: Settings, loggers: Loggers | None) -> None:
    """Take records from now on.

    Args:
        settings: those of the process.
        loggers: the way to OTLP; None without one.
    """
    stdout = None
    if settings.logs in ("stdout", "both"):
        identity = {
            k: str(settings.resource[key]) for k, key in _IDENTITY.items() if key in settings.resource
        }
        stdout = Stdout(Lines(identity))
    if stdout is None and loggers is None:
        return
    take_over(Intake(stdout=stdout, send=None if loggers is None else loggers.emit), level=settings.log_level)

"""Makes the propagator and the trust policy those of the process."""

from __future__ import annotations

import os

from opentelemetry.propagators.textmap import TextMapPropagator

from otel_kit.sdk.config.context import ContextSettings
from otel_kit.sdk.context import trust
from otel_kit.sdk.context.propagator import KitPropagator
from otel_kit.sdk.notes import LOGGER

__all__ = ["install"]


def install(settings: ContextSettings) -> None:
    """Set them; a propagator of another package that cannot be made is left out with one line.

    The API reads ``OTEL_PROPAGATORS`` when its module is imported, and raises there for a name that it does
    not know; we know more names than it does.
    """
    named = os.environ.pop("OTEL_PROPAGATORS", None)
    try:
        from opentelemetry import propagate
    finally:
        if named is not None:
            os.environ["OTEL_PROPAGATORS"] = named
    foreign = [found for name in settings.foreign if (found := _installed(name)) is not None]
    propagate.set_global_textmap(
        KitPropagator(w3c=settings.w3c, extract=settings.extract, allow=settings.baggage, foreign=foreign)
    )
    trust.active = trust.make_trust(settings)


def _installed(name: str) -> TextMapPropagator | None:
    from importlib.metadata import entry_points

    try:
        (found, *_) = entry_points(group="opentelemetry_propagator", name=name)
        propagator = found.load()()
        if isinstance(propagator, TextMapPropagator):
            return propagator
        why = "what its package gives is no propagator"
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
    LOGGER.warning("otel-kit: the propagator %r of OTEL_PROPAGATORS is left out: %s", name, why)
    return None

"""Metrics become delta where they enter, since Datadog takes no others."""

from __future__ import annotations

from otel_kit.collector.model import Component, Config, Kind
from otel_kit.collector.spec import Spec

__all__ = ["delta"]


def delta(config: Config, spec: Spec) -> Config:  # noqa: ARG001 (the signature of a pass)
    """Before any balancing: a difference needs a memory of the series, so it is taken where each arrives.

    And before redaction, which may give two series the same attributes.
    """
    if config.role.takes == "collectors":
        return config
    component = Component(kind=Kind.PROCESSOR, id="cumulative_to_delta")
    return config.add(component).process(["metrics"], component.id)

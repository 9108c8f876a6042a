"""The passes: from the skeleton of a tier to its whole config.

Each takes a config and returns another. The order here is the order of processors in a pipeline, and it
matters: what is not redacted before span_metrics would stand in its dimensions; what is sampled before it
would be missing from its counts.
"""

from __future__ import annotations

from collections.abc import Callable

from otel_kit.collector.model import Config, Role
from otel_kit.collector.passes.delta import delta
from otel_kit.collector.passes.enrich import enrich
from otel_kit.collector.passes.export import export
from otel_kit.collector.passes.extra import extra
from otel_kit.collector.passes.filter import drop_unwanted
from otel_kit.collector.passes.lint import lint
from otel_kit.collector.passes.names import check_version, names
from otel_kit.collector.passes.own import own_telemetry
from otel_kit.collector.passes.queue import queue
from otel_kit.collector.passes.redact import redact
from otel_kit.collector.passes.sample import sample
from otel_kit.collector.passes.stats import stats
from otel_kit.collector.spec import Spec
from otel_kit.collector.tiers import skeleton

__all__ = ["PASSES", "build"]

PASSES: tuple[Callable[[Config, Spec], Config], ...] = (
    enrich,
    delta,
    redact,
    extra,
    drop_unwanted,
    stats,
    sample,
    export,
    queue,
    own_telemetry,
    names,
    lint,
)


def build(spec: Spec, role: Role) -> Config:
    """The whole config of one tier.

    Raises:
        InputError: the spec asks for what cannot work, or a rule of order is broken.
        UnsupportedError: the version or distribution does not have a component.
    """
    check_version(spec)
    config = skeleton(spec, role)
    for step in PASSES:
        config = step(config, spec)
    return config

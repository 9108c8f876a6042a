"""Does this version, in this distribution, have every component by the name that the passes gave it?"""

from __future__ import annotations

from otel_kit.collector.catalogue import VERSIONS, find
from otel_kit.collector.model import Component, Config
from otel_kit.collector.spec import Spec
from otel_kit.errors import UnsupportedError

__all__ = ["check_version", "names"]


def check_version(spec: Spec) -> None:
    """Refuse a version that the catalogue does not hold; the passes look components up in it."""
    if spec.collector.version not in VERSIONS:
        raise UnsupportedError(
            f"the catalogue has no collector {spec.collector.version}",
            where=spec.source,
            fix=f"set collector.version to {', '.join(VERSIONS)}",
        )


def names(config: Config, spec: Spec) -> Config:
    """Refuse by name what the collector of the spec lacks."""
    for component in config.components:
        _check(component, spec)
    return config


def _check(component: Component, spec: Spec) -> None:
    release = spec.collector
    entry = find(release.version, [component.kind], component.type)
    if entry is None or release.distribution not in entry.distributions:
        has = f"; distributions that have it: {', '.join(sorted(entry.distributions))}" if entry else ""
        raise UnsupportedError(
            f"the distribution '{release.distribution}' of {release.version} has no '{component.type}'{has}",
            where=f"{spec.source}: {component.path}",
        )

"""``otel-kit doctor``: what is set, by whom, and whether it works. It prints nothing.

`configuration` looks at the settings, `process` at this process, `reach` at the way to the collector, and
`send` sends one item of each signal on it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from otel_kit.sdk import setup
from otel_kit.sdk.config.arguments import Arguments
from otel_kit.sdk.config.environment import Origin
from otel_kit.sdk.config.settings import Settings, resolve
from otel_kit.sdk.config.targets import NODE_ADDRESSES, Target
from otel_kit.sdk.delivery.tally import Signal
from otel_kit.sdk.doctor.configuration import configuration
from otel_kit.sdk.doctor.finding import Finding
from otel_kit.sdk.doctor.process import imported, process, versions
from otel_kit.sdk.doctor.reach import Place, reach
from otel_kit.sdk.doctor.send import send

__all__ = ["Diagnosis", "Finding", "examine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """All that was found.

    Attributes:
        settings: each setting with its value and its source.
        versions: package -> version.
        findings: in the order of the checks.
    """

    settings: tuple[Origin, ...]
    versions: dict[str, str]
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong; warnings do not count."""
        return all(finding.status != "error" for finding in self.findings)


def examine(module: str | None = None) -> Diagnosis:
    """Look at the configuration and try it out; takes seconds where something is wrong.

    Args:
        module: is imported first, as its server would do it (``shop.bff`` or ``shop.bff:app``), so that what
            `init` is told in the code counts.
    """
    heard = list(imported(module)) if module else []
    arguments, telemetry = setup.current() or (Arguments(), None)
    settings = resolve(arguments, os.environ, host=os.uname().nodename)
    if any(finding.check == "import" for finding in heard):
        module = None  # what it would have called is not known
    findings = [*configuration(settings), *process(settings, telemetry, module=module)]
    said = tuple(finding.what for finding in findings)
    findings[:0] = [one for one in heard if not any(what.startswith(one.what) for what in said)]
    findings += _network(settings)
    return Diagnosis(settings=settings.origins, versions=versions(), findings=tuple(findings))


def _network(settings: Settings) -> Iterator[Finding]:
    """The way to each place once, then each signal; what cannot be reached is not tried again."""
    reached: dict[Place, bool] = {}
    signals: tuple[Signal, ...] = ("traces", "metrics", "logs")
    for signal in signals:
        target = settings.targets.get(signal)
        if target is None:
            continue
        place = Place.of(target)
        if place not in reached:
            found = list(reach(place))
            yield from _with_origin(found, settings, target)
            reached[place] = all(finding.status == "ok" for finding in found)
        if reached[place]:
            yield send(settings, signal, target)


def _with_origin(found: Iterable[Finding], settings: Settings, target: Target) -> Iterator[Finding]:
    """Say of an address that nobody gave for the collector from what it was taken."""
    (source,) = {
        origin.source
        for origin in settings.origins
        if origin.source in NODE_ADDRESSES and target.shown.startswith(origin.value)
    } or {""}
    for finding in found:
        if source and finding.status == "error" and finding.check in ("dns", "tcp"):
            why = (
                f"no endpoint is set, so it was derived from {source}, where the collector needs a host port"
            )
            yield replace(finding, what=f"{finding.what}; {why}")
        else:
            yield finding

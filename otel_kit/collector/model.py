"""A collector's config as typed values: components, and the pipelines that join them.

A `Config` never changes; each pass returns another. `check` finds what the collector itself would refuse
about references, and names it by the same paths (``service::pipelines::traces``).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from otel_kit.errors import InputError

__all__ = ["Component", "Config", "Kind", "Pipeline", "Role"]


class Kind(str, enum.Enum):
    """What a component is; the value is its section of the config."""

    RECEIVER = "receivers"
    PROCESSOR = "processors"
    CONNECTOR = "connectors"
    EXPORTER = "exporters"
    EXTENSION = "extensions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What a collector is there for, which is all that the passes know of a tier.

    ``takes``: apps | collectors | scrapes. ``sends_to``: datadog | gateway.
    """

    tier: str
    takes: str
    sends_to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One component: `id` is ``type`` or ``type/name``."""

    kind: Kind
    id: str
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def type(self) -> str:
        """The part of the id that names the implementation."""
        return self.id.partition("/")[0]

    @property
    def path(self) -> str:
        """``processors::redaction/logs``."""
        return f"{self.kind.value}::{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """The way of one signal, by ids. A connector stands among receivers or exporters."""

    id: str
    receivers: tuple[str, ...] = ()
    processors: tuple[str, ...] = ()
    exporters: tuple[str, ...] = ()

    @property
    def signal(self) -> str:
        """traces, metrics or logs."""
        return self.id.partition("/")[0]

    @property
    def path(self) -> str:
        """``service::pipelines::traces``."""
        return f"service::pipelines::{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The whole config of one tier. `telemetry` is what the collector tells about itself."""

    role: Role
    components: tuple[Component, ...] = ()
    pipelines: tuple[Pipeline, ...] = ()
    telemetry: Mapping[str, Any] = field(default_factory=dict)

    def of(self, kind: Kind) -> tuple[Component, ...]:
        """The components of one kind, in the order in which they were added."""
        return tuple(c for c in self.components if c.kind is kind)

    def find(self, kind: Kind, type_: str) -> tuple[Component, ...]:
        """The components of one type."""
        return tuple(c for c in self.of(kind) if c.type == type_)

    def add(self, *components: Component) -> Config:
        """With these components besides."""
        return replace(self, components=(*self.components, *components))

    def swap(self, component: Component) -> Config:
        """With `component` in place of the one of the same kind and id."""
        same = (component.kind, component.id)
        return replace(
            self, components=tuple(component if (c.kind, c.id) == same else c for c in self.components)
        )

    def pipeline(self, id_: str) -> Pipeline | None:
        """The pipeline of this id."""
        return next((p for p in self.pipelines if p.id == id_), None)

    def with_pipeline(self, pipeline: Pipeline) -> Config:
        """With another pipeline; one of the same id is replaced where it stands."""
        if self.pipeline(pipeline.id) is None:
            return replace(self, pipelines=(*self.pipelines, pipeline))
        changed = tuple(pipeline if p.id == pipeline.id else p for p in self.pipelines)
        return replace(self, pipelines=changed)

    def process(self, signals: Iterable[str], *ids: str) -> Config:
        """With these processors at the end of the signals' main pipelines (``traces``, not ``traces/x``)."""
        config = self
        for signal in signals:
            if pipeline := self.pipeline(signal):
                config = config.with_pipeline(replace(pipeline, processors=(*pipeline.processors, *ids)))
        return config

    def export(self, pipeline_id: str, *ids: str) -> Config:
        """With these exporters or connectors at the end of a pipeline."""
        pipeline = self.pipeline(pipeline_id)
        assert pipeline is not None
        return self.with_pipeline(replace(pipeline, exporters=(*pipeline.exporters, *ids)))

    def check(self) -> None:
        """Refuse references to nothing, components that nothing uses, and pipelines without ends.

        Raises:
            InputError: with the path of what is wrong.
        """
        paths = [c.path for c in self.components]
        if twice := [path for path in paths if paths.count(path) > 1]:
            raise InputError("is defined twice", where=twice[0])
        connectors = {c.id for c in self.of(Kind.CONNECTOR)}
        sources = {c.id for c in self.of(Kind.RECEIVER)} | connectors
        sinks = {c.id for c in self.of(Kind.EXPORTER)} | connectors
        for pipeline in self.pipelines:
            _refer(pipeline, "receiver", pipeline.receivers, sources)
            _refer(pipeline, "processor", pipeline.processors, {c.id for c in self.of(Kind.PROCESSOR)})
            _refer(pipeline, "exporter", pipeline.exporters, sinks)
        self._check_use()

    def _check_use(self) -> None:
        used_in = {i for p in self.pipelines for i in p.receivers}
        used_out = {i for p in self.pipelines for i in p.exporters}
        processors = {i for p in self.pipelines for i in p.processors}
        used = {
            Kind.RECEIVER: used_in,
            Kind.PROCESSOR: processors,
            Kind.EXPORTER: used_out,
            Kind.CONNECTOR: used_in & used_out,
        }
        for component in self.components:
            if component.id not in used.get(component.kind, {component.id}):
                ends = (
                    "on both sides of a pipeline" if component.kind is Kind.CONNECTOR else "by any pipeline"
                )
                raise InputError(f"is defined, but not used {ends}", where=component.path)


def _refer(pipeline: Pipeline, what: str, ids: tuple[str, ...], known: set[str]) -> None:
    if not ids and what != "processor":
        raise InputError(f"has no {what}", where=pipeline.path)
    for id_ in ids:
        if id_ not in known:
            raise InputError(f'references {what} "{id_}" which is not configured', where=pipeline.path)

"""Rules that the collector itself does not know, because a config that breaks them starts all the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from otel_kit.collector.catalogue import find
from otel_kit.collector.model import Component, Config, Kind, Pipeline
from otel_kit.collector.patterns import is_secret
from otel_kit.collector.spec import Spec
from otel_kit.errors import InputError

__all__ = ["lint"]

_SAMPLERS = {"tail_sampling", "probabilistic_sampler"}
#: Components that add up or difference series: two of them behind a balancer would write one series.
_STATEFUL = {"span_metrics", "count", "cumulative_to_delta"}
#: Searched in the last two steps of a path, so that `api: {key: ...}` is found and `routing_key` is not.
_SECRET_KEY = re.compile(
    r"(?i)(^|[._-])((api|app|access|private)[._-]?key|(access[_-]?)?token|password|secret|authorization)$"
)
_REFERENCE = re.compile(r"\$\{[^}]+\}")


def lint(config: Config, spec: Spec) -> Config:
    """Give the config back unchanged.

    Raises:
        InputError: the first rule that is broken, with the file and the path where.
    """
    try:
        _check(config, spec)
    except InputError as error:
        component = (error.where or "").split("::")[1]
        line = next((e.where for e in spec.extra if e.component == component), spec.source)
        where = f"{line}: {config.role.tier}: {error.where}"
        raise InputError(error.what, where=where, fix=error.fix) from error
    return config


def _check(config: Config, spec: Spec) -> None:
    config.check()
    for pipeline in config.pipelines:
        _memory_limiter_first(pipeline, config)
        _signals(pipeline, config, spec)
        _counted_before_sampling(pipeline, config)
    for component in config.components:
        _one_writer(component, config)
        _no_secret(component)
        _queue_on_disk(component, config, spec)


def _memory_limiter_first(pipeline: Pipeline, config: Config) -> None:
    outside = {c.id for c in config.of(Kind.RECEIVER)} & set(pipeline.receivers)
    if outside and _types(pipeline.processors)[:1] != ["memory_limiter"]:
        raise InputError("memory_limiter must be the first processor", where=pipeline.path)


def _counted_before_sampling(pipeline: Pipeline, config: Config) -> None:
    """What span_metrics counts must be enriched, redacted and not yet sampled."""
    if "span_metrics" not in _types(pipeline.exporters):
        return
    before = _types(pipeline.processors)
    if sampler := next((t for t in before if t in _SAMPLERS), None):
        raise InputError(f"{sampler} stands before span_metrics, which would miss spans", where=pipeline.path)
    needed = {"resource", "k8s_attributes", "resource_detection"}
    for component in config.of(Kind.PROCESSOR):
        redacts = component.id in {"redaction/traces", "transform/redact_traces"}
        if (redacts and component.id not in pipeline.processors) or (
            component.type in needed and component.type not in before
        ):
            raise InputError(f"{component.id} must stand before span_metrics", where=pipeline.path)


def _signals(pipeline: Pipeline, config: Config, spec: Spec) -> None:
    for component in config.of(Kind.PROCESSOR):
        entry = find(spec.collector.version, [component.kind], component.type)
        if component.id in pipeline.processors and entry and pipeline.signal not in entry.signals:
            raise InputError(f"{component.id} does not take {pipeline.signal}", where=pipeline.path)


def _one_writer(component: Component, config: Config) -> None:
    if config.role.takes == "collectors" and component.type in _STATEFUL:
        raise InputError(
            "a gateway must not aggregate: each replica would write the same series, and the last one wins",
            where=component.path,
            fix="put it on the tier 'node'",
        )


def _queue_on_disk(component: Component, config: Config, spec: Spec) -> None:
    entry = find(spec.collector.version, [component.kind], component.type)
    if component.kind is not Kind.EXPORTER or entry is None or not entry.remote:
        return
    sending = component.config["sending_queue"]
    storage = str(sending.get("storage") or "")
    if not storage or not sending.get("enabled", True):
        raise InputError("its queue is in memory only; set sending_queue.storage", where=component.path)
    if storage not in {c.id for c in config.of(Kind.EXTENSION)}:
        raise InputError(f'references extension "{storage}" which is not configured', where=component.path)


def _no_secret(component: Component) -> None:
    for path, value in _leaves(component.config, (component.path,)):
        text = _REFERENCE.sub("", value)
        named = (
            _SECRET_KEY.search(".".join(path[-2:])) and text.strip() and component.kind is not Kind.PROCESSOR
        )
        if named or is_secret(text):
            raise InputError(
                "a secret stands here in clear",
                where="::".join(path),
                fix="refer to an environment variable: ${env:NAME}",
            )


def _leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _leaves(child, (*path, str(key)))
    elif isinstance(value, (list, tuple)):
        for child in value:
            yield from _leaves(child, path)
    elif isinstance(value, str):
        yield path, value


def _types(ids: tuple[str, ...]) -> list[str]:
    return [id_.partition("/")[0] for id_ in ids]

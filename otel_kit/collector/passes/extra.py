"""The components that the spec adds by itself."""

from __future__ import annotations

from otel_kit.collector.catalogue import entries, find
from otel_kit.collector.model import Component, Config, Kind
from otel_kit.collector.spec import Extra, Spec
from otel_kit.errors import InputError, nearest

__all__ = ["extra"]

_KINDS = (Kind.PROCESSOR, Kind.EXPORTER)


def extra(config: Config, spec: Spec) -> Config:
    """Processors at the end of what there is so far; exporters are joined to the others by `export`."""
    for item in spec.extra:
        kind = _check(item, spec)
        if item.tier != config.role.tier:
            continue
        config = config.add(Component(kind=kind, id=item.component, config=item.config))
        if kind is Kind.PROCESSOR:
            config = config.process(item.signals, item.component)
    return config


def _check(item: Extra, spec: Spec) -> Kind:
    """The kind of an extra component.

    Raises:
        InputError: no such processor or exporter, or not for this signal; with file and line.
    """
    version, name = spec.collector.version, item.component.partition("/")[0]
    entry = find(version, _KINDS, name)
    if entry is None:
        raise _unknown(item, name, version)
    if wrong := [signal for signal in item.signals if signal not in entry.signals]:
        raise InputError(f"'{name}' does not take {wrong[0]}", where=item.where)
    return entry.kind


def _unknown(item: Extra, name: str, version: str) -> InputError:
    if other := find(version, set(Kind) - set(_KINDS), name):
        what = f"'{name}' is one of the {other.kind.value}, and extra takes processors and exporters only"
        return InputError(what, where=item.where)
    known = [e for e in entries(version) if e.kind in _KINDS]
    renamed = next((e.name for e in known if name in e.former), None)
    fix = f"{version} calls it '{renamed}'" if renamed else nearest(name, (e.name for e in known))
    return InputError(f"there is no processor or exporter '{name}'", where=item.where, fix=fix)

"""Spans that nobody looks at are dropped before they are counted, sampled or paid for."""

from __future__ import annotations

import re

from otel_kit.collector.model import Component, Config, Kind
from otel_kit.collector.spec import Spec

__all__ = ["drop_unwanted"]


def drop_unwanted(config: Config, spec: Spec) -> Config:
    """Health checks, by the attributes of the old and of the stable HTTP and RPC conventions."""
    conditions = []
    if paths := spec.drop.http_paths:
        words = "|".join(_literal(path) for path in paths)
        conditions += [
            f'IsMatch(span.attributes["{key}"], "^({words})([?].*)?$")' for key in ("url.path", "http.target")
        ]
    if spec.drop.grpc_health:
        conditions += [
            'span.attributes["rpc.service"] == "grpc.health.v1.Health"',
            'IsMatch(span.attributes["rpc.method"], "^grpc[.]health[.]v1[.]Health/")',
        ]
    if config.role.takes != "apps" or not conditions:
        return config
    component = Component(
        kind=Kind.PROCESSOR,
        id="filter/health",
        config={"error_mode": "ignore", "trace_conditions": conditions},
    )
    return config.add(component).process(["traces"], component.id)


def _literal(path: str) -> str:
    """A path as a regex inside an OTTL string, where a backslash would need another."""
    return re.sub(r"([^A-Za-z0-9/_-])", r"[\1]", path)

"""Where each pipeline ends: at Datadog, or at the gateway."""

from __future__ import annotations

import json
from typing import Any

from otel_kit.collector.model import Component, Config, Kind
from otel_kit.collector.names import GATEWAY
from otel_kit.collector.spec import SIGNALS, Spec
from otel_kit.conventions import (
    ENV_DD_API_KEY,
    ENV_DD_SITE,
    HEADER_DD_API_KEY,
    HEADER_DD_METRIC_CONFIG,
    PORT_DEV,
    PORT_OTLP_GRPC,
)

__all__ = ["export"]

#: A batch goes to several gateways. What one of them does not take is tried again here, by itself; only after
#: that is the whole batch sent again, which the others then get twice.
_ONE_GATEWAY = {
    "enabled": True,
    "initial_interval": "1s",
    "randomization_factor": 0.5,
    "multiplier": 1.5,
    "max_interval": "5s",
    "max_elapsed_time": "15s",
}


def export(config: Config, spec: Spec) -> Config:
    """Add the exporters: the tier's own, and beside them those that the spec adds."""
    to_datadog = config.role.sends_to == "datadog"
    exporters = dict.fromkeys(SIGNALS, _datadog(spec)) if to_datadog else _gateway(spec)
    used = {p.signal for p in config.pipelines}
    config = config.add(*{c.id: c for signal, c in exporters.items() if signal in used}.values())
    for pipeline in config.pipelines:
        if pipeline.id != "traces" or config.pipeline("traces/sampled") is None:
            ids = (exporters[pipeline.signal].id, *_beside(config, spec, pipeline.signal))
            config = config.export(pipeline.id, *ids)
    return config


def _beside(config: Config, spec: Spec, signal: str) -> list[str]:
    """The exporters that the spec adds for this signal."""
    exporters = {c.id for c in config.of(Kind.EXPORTER)}
    return [e.component for e in spec.extra if signal in e.signals and e.component in exporters]


def _datadog(spec: Spec) -> Component:
    # All resource attributes and the scope become tags: Datadog keeps only the last of two points with the
    # same tags and second, so each writer needs tags of its own.
    metric_config = {"resource_attributes_as_tags": True, "instrumentation_scope_metadata_as_tags": True}
    local = f"${{env:DATADOG_OTLP_ENDPOINT:-http://127.0.0.1:{PORT_DEV}}}"
    settings: dict[str, Any] = {
        "endpoint": f"https://otlp.${{env:{ENV_DD_SITE}}}" if spec.kubernetes else local,
        "headers": {
            HEADER_DD_API_KEY: f"${{env:{ENV_DD_API_KEY}}}",
            HEADER_DD_METRIC_CONFIG: json.dumps(metric_config),
        },
        "compression": "zstd",
        "compression_params": {"level": 3},
    }
    return Component(kind=Kind.EXPORTER, id="otlp_http/datadog", config=settings)


def _gateway(spec: Spec) -> dict[str, Component]:
    assert spec.kubernetes is not None
    service = f"{GATEWAY}.{spec.kubernetes.namespace}"
    plain = {"tls": {"insecure": True}}
    balanced = Component(
        kind=Kind.EXPORTER,
        id="load_balancing",
        config={
            # All spans of a trace must meet on one gateway, or it decides on a part.
            "routing_key": "traceID",
            "resolver": {"k8s": {"service": service, "ports": [PORT_OTLP_GRPC]}},
            # Longer than the tries below, and shorter than a pod has to stop; 0 would mean 5 s.
            "timeout": "25s",
            # No second queue in memory below the one on disk.
            "protocol": {
                "otlp": {
                    **plain,
                    "timeout": "5s",
                    "sending_queue": {"enabled": False},
                    "retry_on_failure": _ONE_GATEWAY,
                }
            },
        },
    )
    any_gateway = Component(
        kind=Kind.EXPORTER,
        id="otlp_grpc/gateway",
        config={"endpoint": f"dns:///{service}:{PORT_OTLP_GRPC}", **plain, "balancer_name": "round_robin"},
    )
    return {"traces": balanced, "metrics": any_gateway, "logs": any_gateway}

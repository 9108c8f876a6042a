"""Requests, errors and durations of all spans: Datadog computes none from spans that come by OTLP."""

from __future__ import annotations

from otel_kit.collector.model import Component, Config, Kind, Pipeline
from otel_kit.collector.spec import Spec

__all__ = ["DIMENSIONS", "stats"]

#: Attributes from which Datadog works out operation, resource, peer, host and unified tags
#: (https://docs.datadoghq.com/opentelemetry/integrations/trace_metrics/).
DIMENSIONS = (
    "deployment.environment.name",
    "service.version",
    "host.id",
    "host.name",
    "container.id",
    "k8s.cluster.name",
    "k8s.node.name",
    "cloud.provider",
    "cloud.account.id",
    "server.address",
    "network.protocol.name",
    "operation.name",
    "resource.name",
    "http.method",
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "rpc.system",
    "rpc.system.name",
    "rpc.service",
    "rpc.method",
    "db.system",
    "db.system.name",
    "db.namespace",
    "db.statement",
    "db.query.text",
    "messaging.system",
    "messaging.operation",
    "messaging.destination",
    "messaging.destination.name",
    "faas.invoked_provider",
    "faas.invoked_name",
    "faas.trigger",
    "graphql.operation.name",
    "graphql.operation.type",
)


def stats(config: Config, spec: Spec) -> Config:
    """Count on the tier that apps send to: there is one such writer for each series.

    Its own pipeline has no processors: counts are delta, so what a memory limiter refused would be gone.
    """
    if config.role.takes != "apps":
        return config
    connector = Component(
        kind=Kind.CONNECTOR,
        id="span_metrics",
        config={
            "aggregation_temporality": "AGGREGATION_TEMPORALITY_DELTA",
            "metrics_flush_interval": str(spec.span_metrics.every),
            "add_resource_attributes": True,
            "histogram": {"unit": "s", "exponential": {"max_size": 160}},
            "dimensions": [{"name": name} for name in DIMENSIONS],
        },
    )
    config = config.add(connector).export("traces", connector.id)
    return config.with_pipeline(Pipeline(id="metrics/spans", receivers=(connector.id,)))

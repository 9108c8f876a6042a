"""Names that every part of otel-kit shares: resource keys, unified tags, environment variables, ports.

A name stands here when two parts must agree on it; a name that one part uses alone stays there.
"""

from __future__ import annotations

from typing import Final

# Resource attributes (https://opentelemetry.io/docs/specs/semconv/resource/).
SERVICE_NAME: Final = "service.name"
SERVICE_VERSION: Final = "service.version"
SERVICE_INSTANCE_ID: Final = "service.instance.id"
DEPLOYMENT_ENVIRONMENT: Final = "deployment.environment.name"
K8S_CLUSTER_NAME: Final = "k8s.cluster.name"
K8S_NAMESPACE_NAME: Final = "k8s.namespace.name"
K8S_NODE_NAME: Final = "k8s.node.name"
K8S_POD_NAME: Final = "k8s.pod.name"
K8S_POD_UID: Final = "k8s.pod.uid"
K8S_CONTAINER_NAME: Final = "k8s.container.name"

#: Resource attribute -> the tag Datadog makes of it, always and without any setting
#: (https://docs.datadoghq.com/opentelemetry/mapping/semantic_mapping/).
DATADOG_TAGS: Final[dict[str, str]] = {
    SERVICE_NAME: "service",
    DEPLOYMENT_ENVIRONMENT: "env",
    SERVICE_VERSION: "version",
    K8S_CLUSTER_NAME: "kube_cluster_name",
    K8S_NAMESPACE_NAME: "kube_namespace",
    K8S_POD_NAME: "pod_name",
    K8S_CONTAINER_NAME: "kube_container_name",
    "k8s.deployment.name": "kube_deployment",
    "k8s.statefulset.name": "kube_stateful_set",
    "k8s.daemonset.name": "kube_daemon_set",
    "k8s.replicaset.name": "kube_replica_set",
    "k8s.cronjob.name": "kube_cronjob",
    "k8s.job.name": "kube_job",
    "container.id": "container_id",
    "container.name": "container_name",
    "container.image.name": "image_name",
    "container.image.tag": "image_tag",
    "cloud.provider": "cloud_provider",
    "cloud.region": "region",
    "cloud.availability_zone": "zone",
}

# Environment variables that more than one part reads or writes.
ENV_DD_API_KEY: Final = "DD_API_KEY"
ENV_DD_APP_KEY: Final = "DD_APP_KEY"
ENV_DD_SITE: Final = "DD_SITE"
ENV_DD_HOST: Final = "DD_HOST"
ENV_OTLP_ENDPOINT: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"

# Ports, as the OpenTelemetry specification and the collector's defaults have them.
PORT_OTLP_GRPC: Final = 4317
PORT_OTLP_HTTP: Final = 4318
PORT_COLLECTOR_HEALTH: Final = 13133
PORT_COLLECTOR_METRICS: Final = 8888
#: Where ``otel-kit dev`` listens unless told otherwise.
PORT_DEV: Final = 8080

#: Request headers that Datadog's OTLP intake reads.
HEADER_DD_API_KEY: Final = "dd-api-key"
HEADER_DD_METRIC_CONFIG: Final = "dd-otel-metric-config"

# Metrics that the library emits and that monitors name.
HTTP_SERVER_DURATION: Final = "http.server.request.duration"
RPC_SERVER_DURATION: Final = "rpc.server.call.duration"
RPC_CLIENT_DURATION: Final = "rpc.client.call.duration"

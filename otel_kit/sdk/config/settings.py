"""Resolves the arguments of `init` and the environment into one frozen value; pure, no I/O.

Precedence: argument > ``OTEL_*`` > ``DD_*`` > detected > default. A wrong argument raises InputError at once:
its author is there to read it. A wrong environment value becomes one problem line and its default: a service
must start whatever its manifest says.

=================================== ========================================================================
variable                            what it sets
=================================== ========================================================================
OTEL_SERVICE_NAME, DD_SERVICE       service; also ``service.name`` in OTEL_RESOURCE_ATTRIBUTES
DD_ENV, DD_VERSION, DD_TAGS         env and version; further resource attributes
OTEL_RESOURCE_ATTRIBUTES            resource attributes (``deployment.environment`` counts as its new name)
K8S_POD_NAME, POD_NAME, MY_POD_NAME name of the pod, by the downward API; the first that is set counts
K8S_POD_UID, POD_UID, MY_POD_UID    uid of the pod, which ``service.instance.id`` begins with
K8S_NAMESPACE_NAME, K8S_NAMESPACE,  namespace of the pod
POD_NAMESPACE, MY_POD_NAMESPACE
K8S_NODE_NAME, MY_NODE_NAME,        node of the pod
NODE_NAME
K8S_CONTAINER_NAME, CONTAINER_NAME  container of the pod
K8S_CLUSTER_NAME, CLUSTER_NAME      cluster; NODE_NAME, CONTAINER_NAME and CLUSTER_NAME count only where a pod
                                    name or KUBERNETES_SERVICE_HOST says that this is Kubernetes
K8S_DEPLOYMENT_NAME,                what the pod belongs to
K8S_CRONJOB_NAME, K8S_JOB_NAME
OTEL_EXPORTER_OTLP_ENDPOINT         the collector, ``http://host:4318`` or, for gRPC, ``http://host:4317``;
                                    else that port of the node (the next line), else of localhost;
                                    ``user:password@`` in it is sent as basic authentication
HOST_IP, NODE_IP, K8S_NODE_IP,      address of the node, whose collector listens on a host port
DD_AGENT_HOST
OTEL_EXPORTER_OTLP_PROTOCOL         ``http/protobuf`` (default) or ``grpc``
OTEL_EXPORTER_OTLP_HEADERS          ``key=value,key2=value2``
OTEL_EXPORTER_OTLP_TIMEOUT          of one try: below 1000 seconds, else milliseconds; default 10 s
OTEL_EXPORTER_OTLP_COMPRESSION      ``gzip`` or ``none`` (default)
OTEL_EXPORTER_OTLP_CERTIFICATE      file of the CA; with _CLIENT_KEY and _CLIENT_CERTIFICATE mutual TLS
OTEL_EXPORTER_OTLP_INSECURE         false: an endpoint without a scheme means https
OTEL_EXPORTER_OTLP_{TRACES,...}_*   the same for one signal; an endpoint here is the full URL
OTEL_{TRACES,METRICS,LOGS}_EXPORTER ``none`` switches a signal off
OTEL_METRIC_EXPORT_INTERVAL         milliseconds between collections; default 10000, at least 1000
OTEL_SDK_DISABLED                   ``true``: no telemetry, no instrumentation; JSON log lines stay
OTEL_PROPAGATORS, OTEL_TRACES_SAMPLER, OTEL_SPAN_*_LIMIT, OTEL_ATTRIBUTE_*_LIMIT: as the SDK reads them
OTEL_PYTHON_DISABLED_INSTRUMENTATIONS: names (fastapi, grpc) separated by commas, or ``*``
OTEL_KIT_LOGS                       stdout, otlp, both (default) or none
OTEL_KIT_LOG_LEVEL                  level of the root logger; default INFO, unless the service configured it
OTEL_KIT_SHUTDOWN_TIMEOUT           seconds that the end of the process may be held up; default 3
OTEL_KIT_HEALTH_ROUTES              exact paths that are not recorded, separated by commas; default /health,
                                    /healthz, /livez, /readyz, /startupz, /ping
=================================== ========================================================================

Resource detectors (OTEL_EXPERIMENTAL_RESOURCE_DETECTORS) are not run: they may ask a metadata server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from otel_kit.sdk.config.arguments import (
    INSTRUMENTATIONS,
    LEVELS,
    LOG_MODES,
    MIN_INTERVAL,
    Arguments,
    LogMode,
    check,
)
from otel_kit.sdk.config.environment import Environment
from otel_kit.sdk.config.resource import resource_attributes
from otel_kit.sdk.config.targets import Target, resolve_targets

__all__ = ["Settings", "resolve"]

T = TypeVar("T")
HEALTH_ROUTES: Final = ("/health", "/healthz", "/livez", "/readyz", "/startupz", "/ping")
LIMITS: Final = (
    "OTEL_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_SPAN_EVENT_COUNT_LIMIT",
    "OTEL_SPAN_LINK_COUNT_LIMIT",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that the library needs to know.

    Attributes:
        disabled: ``OTEL_SDK_DISABLED``: nothing is recorded, patched or sent.
        resource: attributes of the resource, without ``service.instance.id``.
        instance: what ``service.instance.id`` begins with.
        targets: where each signal goes; a signal that is off is absent.
        log_level: for the root logger, or None: INFO unless the service has configured it.
        metric_interval: seconds between collections.
        shutdown_timeout: seconds for the three signals together.
        hidden: variables that the SDK must not see, since it would raise an error.
        problems: one sentence for each value that could not be used.
    """

    disabled: bool
    resource: Mapping[str, str | int | float | bool]
    instance: str
    targets: Mapping[str, Target]
    logs: LogMode
    log_level: int | None
    metric_interval: float
    shutdown_timeout: float
    health_routes: frozenset[str]
    instrument: frozenset[str]
    hidden: tuple[str, ...]
    problems: tuple[str, ...]


def resolve(arguments: Arguments, environ: Mapping[str, str], *, host: str) -> Settings:
    """The settings of this process.

    Args:
        arguments: what the caller said; a wrong one raises InputError.
        environ: the environment; a wrong value is a problem, not an error.
        host: name of this machine, for an instance id outside Kubernetes.
    """
    check(arguments)
    env = Environment(environ)
    logs = arguments.logs or _log_mode(env)
    resource, instance = resource_attributes(
        env,
        service=arguments.service,
        env_name=arguments.env,
        version=arguments.version,
        extra=arguments.resource_attributes,
        host=host,
    )
    wanted = {
        "traces": _on(arguments.traces, env, "OTEL_TRACES_EXPORTER"),
        "metrics": _on(arguments.metrics, env, "OTEL_METRICS_EXPORTER"),
        "logs": logs in ("otlp", "both"),
    }
    return Settings(
        disabled=env.flag("OTEL_SDK_DISABLED", default=False),
        resource=resource,
        instance=instance,
        targets=resolve_targets(
            env,
            [signal for signal, on in wanted.items() if on],
            endpoint=arguments.endpoint,
            protocol=arguments.protocol,
            headers=arguments.headers,
        ),
        logs=logs,
        log_level=_level(arguments.log_level, env),
        metric_interval=arguments.metric_interval or _interval(env),
        shutdown_timeout=_first(
            arguments.shutdown_timeout, env.positive("OTEL_KIT_SHUTDOWN_TIMEOUT", 3.0, zero=True)
        ),
        health_routes=frozenset(
            _first(arguments.health_routes, env.words("OTEL_KIT_HEALTH_ROUTES", HEALTH_ROUTES))
        ),
        instrument=_instrument(arguments.instrument, env),
        hidden=_unreadable(env),
        problems=tuple(dict.fromkeys(env.problems)),  # a general variable is read for each signal
    )


def _unreadable(env: Environment) -> tuple[str, ...]:
    """The SDK raises ValueError for these, for some of them as soon as it is imported."""
    limits = [name for name in LIMITS if not env.natural(name)]
    known = env.choice("OTEL_METRICS_EXEMPLAR_FILTER", ("trace_based", "always_on", "always_off", ""), "")
    return (*limits, *(() if known else ("OTEL_METRICS_EXEMPLAR_FILTER",)))


def _first(argument: T | None, otherwise: T) -> T:
    return otherwise if argument is None else argument


def _interval(env: Environment) -> float:
    """Below a second two collections would share one, and Datadog keeps one point a second."""
    seconds = env.positive("OTEL_METRIC_EXPORT_INTERVAL", 10_000) / 1000
    if seconds < MIN_INTERVAL:
        env.problems.append(
            f"OTEL_METRIC_EXPORT_INTERVAL={seconds * 1000:g} is below {MIN_INTERVAL * 1000:g} milliseconds, "
            "so that is used; Datadog keeps one point a second"
        )
    return max(MIN_INTERVAL, seconds)


def _on(argument: bool | None, env: Environment, variable: str) -> bool:
    if argument is not None:
        return argument
    return env.choice(variable, ("otlp", "none"), "otlp") == "otlp"


def _log_mode(env: Environment) -> LogMode:
    mode: LogMode = env.choice("OTEL_KIT_LOGS", LOG_MODES, "both")  # type: ignore[assignment]
    exporter = env.choice("OTEL_LOGS_EXPORTER", ("otlp", "none"), "otlp")
    if exporter == "none":
        return "stdout" if mode in ("both", "stdout") else "none"
    return mode


def _level(argument: int | str | None, env: Environment) -> int | None:
    if isinstance(argument, int):
        return argument
    if argument is None and env.text("OTEL_KIT_LOG_LEVEL") is None:
        return None
    name = argument or env.choice("OTEL_KIT_LOG_LEVEL", tuple(LEVELS), "INFO", fold=str.upper)
    return LEVELS[name.upper()]


def _instrument(argument: bool | Sequence[str] | None, env: Environment) -> frozenset[str]:
    if argument is None:
        off = env.words("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", ())
        return frozenset() if "*" in off else frozenset(INSTRUMENTATIONS) - set(off)
    if isinstance(argument, bool):
        return frozenset(INSTRUMENTATIONS if argument else ())
    return frozenset(argument)

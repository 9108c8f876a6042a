"""Resolves the arguments of `init` and the environment into one frozen value; pure, no I/O.

Precedence: argument > ``OTEL_KIT_*`` > ``OTEL_*`` > ``DD_*`` > detected > default. Each argument of `init`
has a variable of its own, ``OTEL_KIT_`` and its name in capitals: what others have set for all SDKs of a pod
stays, and this library alone is told otherwise. A wrong argument raises InputError at once: its author is
there to read it. A wrong environment value becomes one problem line and its default: a service must start
whatever its manifest says. ``otel-kit doctor`` shows each value and where it came from.
Resource detectors (OTEL_EXPERIMENTAL_RESOURCE_DETECTORS) are not run: they may ask a metadata server.

# Who the service is
OTEL_KIT_SERVICE, OTEL_SERVICE_NAME service; also ``service.name`` in OTEL_RESOURCE_ATTRIBUTES
and DD_SERVICE
OTEL_KIT_ENV, DD_ENV                env; also ``deployment.environment.name`` in OTEL_RESOURCE_ATTRIBUTES
OTEL_KIT_VERSION, DD_VERSION        version; also ``service.version`` in OTEL_RESOURCE_ATTRIBUTES
OTEL_KIT_RESOURCE_ATTRIBUTES,       resource attributes, ``key=value,key2=value2`` (``deployment.environment``
OTEL_RESOURCE_ATTRIBUTES            counts as its new name); each attribute by itself has this precedence
DD_TAGS                             resource attributes, ``key:value,key2:value2``

# Kubernetes
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

# On and off
OTEL_KIT_DISABLED                   ``true`` or ``1``: the kill switch; `init` does nothing at all, log lines
                                    included
OTEL_SDK_DISABLED                   ``true``: no telemetry, no instrumentation; JSON log lines stay
OTEL_KIT_{TRACES,METRICS}           ``true`` or ``false``: whether that signal is on
OTEL_{TRACES,METRICS,LOGS}_EXPORTER ``none`` switches a signal off
OTEL_KIT_INSTRUMENT                 what to instrument, separated by commas, or ``none``; default all. Without
                                    ``fastapi`` there are no server spans, also none of FastAPI's own, unless
                                    its argument ``telemetry`` or FASTAPI_OTEL_AUTO_CONFIGURE asks for them
OTEL_PYTHON_DISABLED_INSTRUMENTATIONS: what not to instrument, separated by commas, or ``*``

# Sending
OTEL_KIT_ENDPOINT,                  the collector, ``http://host:4318`` or, for gRPC, ``http://host:4317``;
OTEL_EXPORTER_OTLP_ENDPOINT         else that port of the node (the next line), else of localhost;
                                    ``user:password@`` in it is sent as basic authentication
HOST_IP, NODE_IP, K8S_NODE_IP,      address of the node, whose collector listens on a host port
DD_AGENT_HOST
OTEL_KIT_PROTOCOL,                  ``http/protobuf`` (default) or ``grpc``
OTEL_EXPORTER_OTLP_PROTOCOL
OTEL_KIT_HEADERS,                   ``key=value,key2=value2``; both are sent, ours wins where they differ
OTEL_EXPORTER_OTLP_HEADERS
OTEL_EXPORTER_OTLP_TIMEOUT          of one try: below 1000 seconds, else milliseconds; default 10 s
OTEL_EXPORTER_OTLP_COMPRESSION      ``gzip`` or ``none`` (default)
OTEL_EXPORTER_OTLP_CERTIFICATE      file of the CA; with _CLIENT_KEY and _CLIENT_CERTIFICATE mutual TLS
OTEL_EXPORTER_OTLP_INSECURE         false: an endpoint without a scheme means https
OTEL_EXPORTER_OTLP_{TRACES,...}_*   the same for one signal; an endpoint here is the full URL
OTEL_KIT_SHUTDOWN_TIMEOUT           seconds that the end of the process may be held up; default 3

# Traces
OTEL_KIT_SAMPLING                   which traces are kept: ``route:/search@0.1; name:poll*@0;
                                    attribute:customer.tier=free@0.5; *@0.9``; the first rule counts that
                                    holds for the first span; default: all
OTEL_TRACES_SAMPLER, _ARG           decide where no rule holds; default parentbased_always_on
OTEL_SPAN_*_LIMIT, OTEL_ATTRIBUTE_*_LIMIT: as the SDK reads them; texts of spans have 25,000 characters at
                                    most unless these say otherwise

# Metrics
OTEL_KIT_METRIC_INTERVAL            seconds between collections; default 10, at least 1
OTEL_METRIC_EXPORT_INTERVAL         the same in milliseconds
OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: ``delta`` (default), ``lowmemory`` or ``cumulative``
OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION: ``explicit_bucket_histogram`` (default) or
                                    ``base2_exponential_bucket_histogram``
OTEL_METRICS_EXEMPLAR_FILTER        ``trace_based`` (default), ``always_on`` or ``always_off``
OTEL_KIT_METRIC_CARDINALITY_LIMIT   attribute sets of a metric; the rest is added up in one; default 2000
OTEL_KIT_RUNTIME_METRICS            ``false``: nothing about what the process itself uses

# Logs
OTEL_KIT_LOGS                       stdout, otlp, both (default) or none
OTEL_KIT_LOG_LEVEL                  level of the root logger; default INFO, unless the service configured it
OTEL_KIT_LOG_FORMAT                 lines on stdout: JSON with the names of ``datadog`` (default) or of
                                    ``google``, or ``text`` to read at a terminal
GOOGLE_CLOUD_PROJECT, GCP_PROJECT,  for ``google``: the project whose traces the lines are linked to
GCLOUD_PROJECT
OTEL_KIT_LOG_LIMITS                 ``logger=10/s,logger=100/m,logger=0.1``: at most so many records of a
                                    logger and those beneath it, or that share (errors always); ``*``: all

# Context of callers
OTEL_PROPAGATORS                    tracecontext, baggage (default), none; gcp_trace, datadog, b3 and b3multi
                                    are only read; others by installed packages
OTEL_KIT_EXTRACT                    gcp, datadog, b3: headers that are read where traceparent is not valid
OTEL_KIT_BAGGAGE                    keys of baggage that come in and go out, by commas, ``*`` for any signs;
                                    by default none
OTEL_KIT_BAGGAGE_ATTRIBUTES         keys of baggage (allowed by this) that are put on spans and log records
OTEL_KIT_TRUST                      whose context is taken over:
                                    ``all`` (default): the caller is the parent
                                    ``link``: a trace of our own with a link to the caller; no baggage
                                    ``resample``: the caller is the parent; sampling is decided here
                                    ``ignore``: a trace of our own, as if nothing had come; no baggage
                                    rules: ``header:x-envoy-original-path@link; peer:10.0.0.0/8@all; link``;
                                    the first that holds counts, ``all`` where none does

# HTTP servers
OTEL_KIT_HEALTH_ROUTES              exact paths that are not recorded, separated by commas; default /health,
                                    /healthz, /livez, /readyz, /startupz, /ping
OTEL_PYTHON_FASTAPI_EXCLUDED_URLS,  regular expressions separated by commas; an HTTP request in whose URL one
OTEL_PYTHON_EXCLUDED_URLS           is found is not recorded
OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST, _SERVER_RESPONSE: headers to record, as regular
                                    expressions for the whole name, separated by commas
OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SANITIZE_FIELDS: those without their value; authorization, cookies,
                                    keys, tokens and their like always are
OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS: HTTP methods recorded by name; all others are ``_OTHER``

# gRPC and clients
OTEL_PYTHON_GRPC_EXCLUDED_SERVICES  gRPC services (``pkg.Service``) whose calls are not recorded, by commas;
                                    health, reflection and Pub/Sub's StreamingPull never are
OTEL_KIT_PEER_SERVICES              ``host=service,host2:port=service2``: who is behind a channel, on spans
OTEL_INSTRUMENTATION_COMMON_PEER_SERVICE_MAPPING: the same; ours wins where they differ

# Secrets
OTEL_KIT_REDACT                     ``default``: what is secret by name or shape; ``allow-list``: all texts
                                    but those of allowed keys; ``off``: nothing
OTEL_KIT_REDACT_ALLOW               keys, separated by commas, that are no secrets, with ``*`` for any signs;
                                    the text of a log record has the key ``message``
OTEL_KIT_REDACT_KEYS                names that are secret besides the known ones, also where they are numbers
OTEL_KIT_REDACT_PATTERNS            regexes, separated by commas, of what is secret besides the known shapes
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from otel_kit.sdk.config.arguments import INSTRUMENTATIONS, MIN_INTERVAL, Arguments, check
from otel_kit.sdk.config.context import ContextSettings, resolve_context
from otel_kit.sdk.config.environment import ARGUMENT, LONGEST, Environment, Origin
from otel_kit.sdk.config.http import HttpSettings, resolve_http
from otel_kit.sdk.config.logs import LogSettings, resolve_logs
from otel_kit.sdk.config.metrics import MetricSettings, resolve_metrics
from otel_kit.sdk.config.privacy import resolve_privacy
from otel_kit.sdk.config.resource import resource_attributes
from otel_kit.sdk.config.rpc import RpcSettings, resolve_rpc
from otel_kit.sdk.config.targets import Target, resolve_targets
from otel_kit.sdk.config.tracing import TracingSettings, resolve_tracing
from otel_kit.sdk.config.unreadable import unreadable
from otel_kit.sdk.config.unused import unused
from otel_kit.sdk.privacy.settings import PrivacySettings

__all__ = ["Settings", "resolve"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that the library needs to know.

    Attributes:
        disabled: the variable that switches the library off, or an empty string.
        resource: attributes of the resource, without ``service.instance.id``.
        instance: what ``service.instance.id`` begins with.
        targets: where each signal goes; a signal that is off is absent.
        metric_interval: seconds between collections, a day at most.
        shutdown_timeout: seconds for the three signals together, a day at most.
        hidden: variables that the SDK must not see, since it would raise an error.
        problems: one sentence for each value that could not be used.
        origins: where each value came from.
    """

    disabled: str
    resource: Mapping[str, str | int | float | bool]
    instance: str
    targets: Mapping[str, Target]
    logs: LogSettings
    metric_interval: float
    shutdown_timeout: float
    metrics: MetricSettings
    http: HttpSettings
    rpc: RpcSettings
    tracing: TracingSettings
    privacy: PrivacySettings
    context: ContextSettings
    instrument: frozenset[str]
    hidden: tuple[str, ...]
    problems: tuple[str, ...]
    origins: tuple[Origin, ...] = field(repr=False, compare=False)


def resolve(arguments: Arguments, environ: Mapping[str, str], *, host: str) -> Settings:
    """The settings of this process.

    Args:
        arguments: what the caller said; a wrong one raises InputError.
        environ: the environment; a wrong value is a problem, not an error.
        host: name of this machine, for an instance id outside Kubernetes.
    """
    check(arguments)
    env = Environment(environ)
    env.problems += unused(environ)
    logs = resolve_logs(env, arguments)
    resource, instance = resource_attributes(
        env,
        service=arguments.service,
        env_name=arguments.env,
        version=arguments.version,
        extra=arguments.resource_attributes,
        host=host,
    )
    wanted = {
        "traces": _on(arguments.traces, env, "traces"),
        "metrics": _on(arguments.metrics, env, "metrics"),
        "logs": logs.mode in ("otlp", "both"),
    }
    return Settings(
        disabled=_disabled(env),
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
        metric_interval=_capped(env, "metric_interval", arguments.metric_interval, _interval(env)),
        shutdown_timeout=_capped(
            env,
            "shutdown_timeout",
            arguments.shutdown_timeout,
            env.positive("OTEL_KIT_SHUTDOWN_TIMEOUT", 3.0, zero=True),
        ),
        metrics=resolve_metrics(env),
        http=resolve_http(env, arguments.health_routes),
        rpc=resolve_rpc(env),
        tracing=resolve_tracing(env, arguments.sampling),
        privacy=resolve_privacy(env),
        context=resolve_context(env),
        instrument=_instrument(arguments.instrument, env),
        hidden=unreadable(env),
        problems=tuple(dict.fromkeys(map(_clipped, env.problems))),  # each once: signals share variables
        origins=env.origins,
    )


def _clipped(problem: str) -> str:
    """Without the middle of a value that is no value any more, as a file that was put in the wrong place."""
    return problem if len(problem) <= 600 else f"{problem[:300]} ... {problem[-200:]}"


def _disabled(env: Environment) -> str:
    """The switch that is on, or an empty string."""
    for name in ("OTEL_KIT_DISABLED", "OTEL_SDK_DISABLED"):
        if env.flag(name, default=False):
            return name
    return ""


def _capped(env: Environment, name: str, argument: float | None, otherwise: float) -> float:
    """A number of seconds, a day at most."""
    number = min(LONGEST, env.given(name, argument, otherwise))
    env.note(name, number, env.source(name))
    return number


def _interval(env: Environment) -> float:
    """Below a second two collections would share one, and Datadog keeps one point a second."""
    names = ("OTEL_KIT_METRIC_INTERVAL", "OTEL_METRIC_EXPORT_INTERVAL")
    found = env.find(*names)
    unit, word = (1000.0, "milliseconds") if found and found[0] == names[1] else (1.0, "second")
    seconds = env.positive(names, 10 * unit) / unit
    if seconds < MIN_INTERVAL:
        env.problems.append(
            f"{env.source('metric_interval')}={seconds * unit:g} is below {MIN_INTERVAL * unit:g} {word}, so "
            "that is used, as Datadog keeps one point a second; give a longer time"
        )
    return max(MIN_INTERVAL, seconds)


def _on(argument: bool | None, env: Environment, signal: str) -> bool:
    exporter = env.choice(f"OTEL_{signal.upper()}_EXPORTER", ("otlp", "none"), "otlp") == "otlp"
    return env.given(signal, argument, env.flag(f"OTEL_KIT_{signal.upper()}", default=exporter))


def _instrument(argument: bool | Sequence[str] | None, env: Environment) -> frozenset[str]:
    # contrib calls its own for aiohttp by this longer name.
    off = {word.removesuffix("-client") for word in env.words("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", ())}
    others = [name for name in INSTRUMENTATIONS if name not in off and "*" not in off]

    def refuse(name: str) -> str:
        known = name in (*INSTRUMENTATIONS, "none")
        return "" if known else f"use some of {', '.join(INSTRUMENTATIONS)}, or none"

    wanted = env.words("OTEL_KIT_INSTRUMENT", others, refuse=refuse)
    if argument is not None:
        env.note("instrument", argument, ARGUMENT)
        wanted = argument if not isinstance(argument, bool) else INSTRUMENTATIONS if argument else ()
    return frozenset(wanted) & frozenset(INSTRUMENTATIONS)

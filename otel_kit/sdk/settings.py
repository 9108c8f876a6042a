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
POD_NAME, POD_UID, NODE_NAME, ...   the pod, by the downward API (`resource.DOWNWARD_API`)
OTEL_EXPORTER_OTLP_ENDPOINT         the collector; else ``http://$HOST_IP:4318`` (`targets.NODE_ADDRESSES`),
                                    else ``http://localhost:4318``
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
OTEL_PYTHON_DISABLED_INSTRUMENTATIONS: names separated by commas, or ``*``
OTEL_KIT_LOGS                       stdout, otlp, both (default) or none
OTEL_KIT_LOG_LEVEL                  level of the root logger; default INFO
OTEL_KIT_SHUTDOWN_TIMEOUT           seconds; default 3
OTEL_KIT_HEALTH_ROUTES              paths that are not recorded; default `HEALTH_ROUTES`
=================================== ========================================================================

Resource detectors (OTEL_EXPERIMENTAL_RESOURCE_DETECTORS) are not run: they may ask a metadata server.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import UnionType
from typing import Final, Literal, TypeVar

from otel_kit.errors import InputError
from otel_kit.sdk.environment import Environment
from otel_kit.sdk.resource import resource_attributes
from otel_kit.sdk.targets import Protocol, Target, is_endpoint, resolve_targets

__all__ = ["Arguments", "LogMode", "Settings", "resolve"]

T = TypeVar("T")
LogMode = Literal["stdout", "otlp", "both", "none"]
LOG_MODES: Final = ("stdout", "otlp", "both", "none")
INSTRUMENTATIONS: Final = ("fastapi", "grpc")
MIN_INTERVAL: Final = 1.0
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
LEVELS: Final = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "WARN": 30, "ERROR": 40, "CRITICAL": 50, "FATAL": 50}


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """What the caller of `init` said; None means: not said."""

    service: str | None = None
    env: str | None = None
    version: str | None = None
    endpoint: str | None = field(default=None, repr=False)
    protocol: Protocol | None = None
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    resource_attributes: Mapping[str, str | int | float | bool] | None = None
    traces: bool | None = None
    metrics: bool | None = None
    logs: LogMode | None = None
    log_level: int | str | None = None
    metric_interval: float | None = None
    shutdown_timeout: float | None = None
    health_routes: Sequence[str] | None = None
    instrument: bool | Sequence[str] | None = None


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
    _check(arguments)
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
    name = argument or env.choice("OTEL_KIT_LOG_LEVEL", (*LEVELS, ""), "", fold=str.upper)
    return LEVELS.get(name.upper())


def _instrument(argument: bool | Sequence[str] | None, env: Environment) -> frozenset[str]:
    if argument is None:
        off = env.words("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", ())
        return frozenset() if "*" in off else frozenset(INSTRUMENTATIONS) - set(off)
    if isinstance(argument, bool):
        return frozenset(INSTRUMENTATIONS if argument else ())
    return frozenset(argument)


def _check(a: Arguments) -> None:
    for name in ("service", "env", "version", "endpoint"):
        value = getattr(a, name)
        if value is not None and (not isinstance(value, str) or not value.strip()):
            raise _wrong(name, value, "give a non-empty string, or leave it out")
    if a.endpoint is not None and not is_endpoint(a.endpoint):
        # The value is not shown: it may hold credentials.
        raise InputError(
            "init(endpoint=...) is no URL that can be used",
            fix="write http://host:4318 (plain) or https://host:4318 (TLS)",
        )
    _one_of("protocol", a.protocol, ("http/protobuf", "grpc"))
    _one_of("logs", a.logs, LOG_MODES)
    for name in ("traces", "metrics"):
        if getattr(a, name) not in (None, True, False):
            raise _wrong(name, getattr(a, name), "give True or False")
    _check_numbers(a)
    _check_mapping("headers", a.headers, str)
    _check_mapping("resource_attributes", a.resource_attributes, str | int | float)
    _check_lists(a)


def _check_mapping(name: str, value: object, allowed: type | UnionType) -> None:
    """Without the value in any message: headers are secrets."""
    if value is None:
        return
    if not isinstance(value, Mapping):
        raise InputError(f"init({name}=...) is not a mapping", fix="give a dict")
    for key, item in value.items():
        if not isinstance(key, str) or not isinstance(item, allowed):
            kinds = "strings" if allowed is str else "strings, numbers or booleans"
            raise InputError(
                f"init({name}=...): the entry {key!r} cannot be used", fix=f"give {kinds} by name"
            )


def _check_lists(a: Arguments) -> None:
    if a.instrument is not None and not isinstance(a.instrument, bool):
        for word in _sequence("instrument", a.instrument):
            _one_of("instrument", word, INSTRUMENTATIONS)
    for route in () if a.health_routes is None else _sequence("health_routes", a.health_routes):
        if not isinstance(route, str) or not route.startswith("/"):
            raise _wrong("health_routes", route, "begin each route with /")


def _sequence(name: str, value: object) -> Collection[object]:
    if isinstance(value, str) or not isinstance(value, Collection):
        raise _wrong(name, value, "give a list")
    return value


def _check_numbers(a: Arguments) -> None:
    for name in ("metric_interval", "shutdown_timeout"):
        value = getattr(a, name)
        lowest = MIN_INTERVAL if name == "metric_interval" else 0.0
        if value is None:
            continue
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not math.isfinite(value) or value < lowest:
            raise _wrong(name, value, f"give seconds, at least {lowest:g}")
    if isinstance(a.log_level, str):
        _one_of("log_level", a.log_level.upper(), tuple(LEVELS))
    elif a.log_level is not None and (isinstance(a.log_level, bool) or not isinstance(a.log_level, int)):
        raise _wrong("log_level", a.log_level, f"use one of {', '.join(LEVELS)}, or a whole number")


def _one_of(name: str, value: object, allowed: Sequence[str]) -> None:
    if value is not None and value not in allowed:
        raise _wrong(name, value, f"use one of {', '.join(allowed)}")


def _wrong(name: str, value: object, fix: str) -> InputError:
    return InputError(f"init({name}={value!r}) cannot be used", fix=fix)

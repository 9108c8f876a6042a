"""The arguments of `init`, and the check of them: a wrong one raises InputError at once."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import UnionType
from typing import Final, Literal

from otel_kit.errors import InputError
from otel_kit.sdk.clients.catalogue import CLIENTS
from otel_kit.sdk.config.refused import quoted
from otel_kit.sdk.config.targets import Protocol, is_endpoint, is_header, with_scheme
from otel_kit.sdk.config.tracing import rules_of

__all__ = ["INSTRUMENTATIONS", "LEVELS", "LOG_MODES", "MIN_INTERVAL", "Arguments", "LogMode", "check"]

LogMode = Literal["stdout", "otlp", "both", "none"]
LOG_MODES: Final = ("stdout", "otlp", "both", "none")
#: Each is the name of an extra, too, but for what comes with Python.
INSTRUMENTATIONS: Final = ("fastapi", "grpc", "threading", *(client.name for client in CLIENTS))
MIN_INTERVAL: Final = 1.0
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
    sampling: str | None = None


def check(a: Arguments) -> None:
    """Raise InputError for the first argument that cannot be used."""
    for name in ("service", "env", "version"):
        value = getattr(a, name)
        if value is not None and (not isinstance(value, str) or not value.strip()):
            raise _wrong(name, value, "give a non-empty string, or leave it out")
    if a.endpoint is not None and not (isinstance(a.endpoint, str) and is_endpoint(with_scheme(a.endpoint))):
        # The value is not shown: it may hold credentials.
        raise InputError(
            "init(endpoint=...) is no URL that can be used",
            fix="write http://host:4318 (plain) or https://host:4318 (TLS), as a string",
        )
    _one_of("protocol", a.protocol, ("http/protobuf", "grpc"))
    _one_of("logs", a.logs, LOG_MODES)
    for name in ("traces", "metrics"):
        if getattr(a, name) not in (None, True, False):
            raise _wrong(name, getattr(a, name), "give True or False")
    _check_numbers(a)
    _check_mapping("headers", a.headers, str)
    for name, value in (a.headers or {}).items():
        if not is_header(name, value):
            raise InputError(
                f"init(headers=...): {quoted(name)} cannot be sent",
                fix="use printable ASCII, and a name without blanks",
            )
    _check_mapping("resource_attributes", a.resource_attributes, str | int | float)
    _check_lists(a)
    _check_sampling(a.sampling)


def _check_sampling(sampling: object) -> None:
    if sampling is None:
        return
    if not isinstance(sampling, str):
        raise _wrong("sampling", sampling, 'give rules in a string: "route:/search@0.1; *@0.9"')
    for _, rule in rules_of(sampling):
        if isinstance(rule, str):
            raise InputError(f"init(sampling=...): the rule {rule}")


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
                f"init({name}=...): the entry {quoted(key)} cannot be used", fix=f"give {kinds} by name"
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
    return InputError(f"init({name}={quoted(value)}) cannot be used", fix=fix)

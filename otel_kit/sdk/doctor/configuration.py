"""What can be said about the settings without touching the network."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator, Mapping
from typing import Final

from otel_kit import conventions
from otel_kit.sdk.config.resource import DOWNWARD_API, UNKNOWN
from otel_kit.sdk.config.settings import Settings
from otel_kit.sdk.doctor.finding import Finding

__all__ = ["configuration"]

#: Part of an entry of PYTHONPATH -> the command that puts it there to run before the program.
WRAPPERS: Final = {"auto_instrumentation": "opentelemetry-instrument", "ddtrace/bootstrap": "ddtrace-run"}

#: Their values may hold a password.
PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


def configuration(settings: Settings, environ: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """One finding for each thing that is missing or doubtful."""
    if settings.disabled:
        yield Finding(
            check="switch",
            status="warning",
            what=f"{settings.disabled} is true, so the service sends nothing",
            fix="remove it where that is not meant",
        )
    yield from _identity(settings, environ)
    for problem in settings.problems:
        if not problem.startswith("the service has no name"):  # said above
            what, _, fix = problem.rpartition("; ")  # what was given may have a semicolon, too
            yield Finding(check="setting", status="warning", what=what, fix=fix)
    yield from _timeouts(settings)
    for signal in ("traces", "metrics", "logs"):
        if signal not in settings.targets:
            yield Finding(check=signal, status="ok", what=f"{signal} are not sent over OTLP, as configured")
    yield from _others(environ)


def _identity(settings: Settings, environ: Mapping[str, str]) -> Iterator[Finding]:
    if settings.resource[conventions.SERVICE_NAME] == UNKNOWN:
        yield Finding(
            check="service",
            status="error",
            what="the service has no name, so everything is filed under unknown_service",
            fix="set OTEL_SERVICE_NAME or DD_SERVICE, or give init(service=...)",
        )
    for key, name in ((conventions.DEPLOYMENT_ENVIRONMENT, "env"), (conventions.SERVICE_VERSION, "version")):
        if key not in settings.resource:
            yield Finding(
                check=name,
                status="warning",
                what=f"{name} is not set, so monitors and dashboards cannot tell one {name} from another",
                fix=f"set DD_{name.upper()}, or give init({name}=...)",
            )
    pod = (conventions.K8S_POD_NAME, conventions.K8S_POD_UID)
    if environ.get("KUBERNETES_SERVICE_HOST") and not any(key in settings.resource for key in pod):
        names = " and ".join(DOWNWARD_API[key][0] for key in pod)
        yield Finding(
            check="pod",
            status="warning",
            what="this is Kubernetes, but the pod does not know its name",
            fix=f"give {names} by the downward API (metadata.name, metadata.uid)",
        )


def _timeouts(settings: Settings) -> Iterator[Finding]:
    for origin in settings.origins:
        if "read as milliseconds" in origin.value:
            seconds = origin.value.partition(" ")[0]
            yield Finding(
                check="timeout",
                status="ok",
                what=f"{origin.source} is read as milliseconds: {seconds} s; other Python SDKs read seconds",
            )
            break
    slow = {signal: target.timeout for signal, target in settings.targets.items() if target.timeout > 60}
    if slow:
        yield Finding(
            check="timeout",
            status="warning",
            what=f"one try of {', '.join(slow)} may take {max(slow.values()):g} s, and others wait behind it",
            fix="set OTEL_EXPORTER_OTLP_TIMEOUT to about 10 (seconds) or 10000 (milliseconds)",
        )


def _others(environ: Mapping[str, str]) -> Iterator[Finding]:
    if environ.get("FASTAPI_OTEL_AUTO_CONFIGURE", "").lower() == "true":
        yield Finding(
            check="fastapi",
            status="warning",
            what="FASTAPI_OTEL_AUTO_CONFIGURE is true: FastAPI would send everything a second time; init() "
            "leaves that out",
            fix="remove it",
        )
    proxies = [name for name in PROXIES if environ.get(name) or environ.get(name.lower())]
    if proxies:
        yield Finding(
            check="proxy",
            status="ok",
            what=f"telemetry goes to the collector directly, whatever {' and '.join(proxies)} may say",
        )
    for part, command in WRAPPERS.items():
        if part in environ.get("PYTHONPATH", ""):
            yield Finding(
                check="providers",
                status="error",
                what=f"the process is started by {command}, which keeps otel-kit out or doubles its spans",
                fix=f"start it without {command}",
            )
    if importlib.util.find_spec("ddtrace"):
        yield Finding(
            check="providers",
            status="ok",
            what="ddtrace is installed; otel-kit works unless it is started by ddtrace-run or ddtrace.auto",
        )

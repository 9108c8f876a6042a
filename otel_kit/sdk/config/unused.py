"""Variables that are set and do nothing: whoever has set them believes that they do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from otel_kit.errors import nearest

__all__ = ["DDTRACE", "OWN", "PREFIX", "unused"]

PREFIX: Final = "OTEL_KIT_"
#: All of ours; the last is set by ``otel-kit run``.
OWN: Final = frozenset(
    PREFIX + name
    for name in (
        *("SERVICE", "ENV", "VERSION", "RESOURCE_ATTRIBUTES", "ENDPOINT", "PROTOCOL", "HEADERS", "TRACES"),
        *("METRICS", "METRIC_INTERVAL", "METRIC_CARDINALITY_LIMIT", "RUNTIME_METRICS", "DISABLED"),
        *("SAMPLING", "INSTRUMENT", "LOGS", "LOG_LEVEL", "LOG_FORMAT", "LOG_LIMITS", "SHUTDOWN_TIMEOUT"),
        *("HEALTH_ROUTES", "PEER_SERVICES", "EXTRACT", "BAGGAGE", "BAGGAGE_ATTRIBUTES", "TRUST", "REDACT"),
        *("REDACT_ALLOW", "REDACT_KEYS", "REDACT_PATTERNS", "RUN_PID"),
    )
)
#: Beginning of variables that OpenTelemetry's SDK reads -> why they do nothing here.
_OTHERS: Final = {
    "OTEL_BSP_": "batches have sizes of our own",
    "OTEL_BLRP_": "batches have sizes of our own",
    "OTEL_METRIC_EXPORT_TIMEOUT": "OTEL_EXPORTER_OTLP_TIMEOUT counts",
    "OTEL_CONFIG_FILE": "files of configuration are not read",
    "OTEL_EXPERIMENTAL_CONFIG_FILE": "files of configuration are not read",
    "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS": "detectors may ask a metadata server, so none is run",
}
_SAMPLING: Final = "OTEL_KIT_SAMPLING"
_ENDPOINT: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
#: Variables that ddtrace reads -> what is set instead; empty: what they ask for is so anyway, or not offered
#: (https://docs.datadoghq.com/tracing/trace_collection/library_config/python/).
DDTRACE: Final = {
    "DD_TRACE_ENABLED": "OTEL_KIT_TRACES",
    "DD_TRACE_SAMPLE_RATE": _SAMPLING,
    "DD_TRACE_SAMPLING_RULES": _SAMPLING,
    "DD_TRACE_RATE_LIMIT": _SAMPLING,
    "DD_TRACE_AGENT_URL": _ENDPOINT,
    "DD_TRACE_AGENT_HOSTNAME": _ENDPOINT,
    "DD_TRACE_AGENT_PORT": _ENDPOINT,
    "DD_DOGSTATSD_URL": _ENDPOINT,
    "DD_DOGSTATSD_HOST": _ENDPOINT,
    "DD_DOGSTATSD_PORT": _ENDPOINT,
    "DD_TRACE_PROPAGATION_STYLE": "OTEL_KIT_EXTRACT",
    "DD_TRACE_PROPAGATION_STYLE_EXTRACT": "OTEL_KIT_EXTRACT",
    "DD_TRACE_HEADER_TAGS": "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST",
    "DD_PATCH_MODULES": "OTEL_KIT_INSTRUMENT",
    "DD_SERVICE_MAPPING": "OTEL_KIT_PEER_SERVICES",
    "DD_RUNTIME_METRICS_ENABLED": "OTEL_KIT_RUNTIME_METRICS",
    "DD_LOGS_INJECTION": "",
    "DD_PROFILING_ENABLED": "",
    "DD_APPSEC_ENABLED": "",
}


def unused(environ: Mapping[str, str]) -> Iterator[str]:
    """One sentence for each reason, without any value."""
    names = sorted(name for name, value in environ.items() if value.strip())
    for name in names:
        if name.startswith(PREFIX) and name not in OWN:
            yield f"{name} is no variable of the library; {nearest(name, OWN) or 'see the reference page'}"
    for begin, why in _OTHERS.items():
        found = _beginning(names, begin)
        if found:
            yield f"{found}: of no effect, since {why}; remove it"
    yield from _of_ddtrace(names)


def _of_ddtrace(names: Iterable[str]) -> Iterator[str]:
    found = [name for name in names if name in DDTRACE]
    if found:
        counterparts = [f"{DDTRACE[name]} for {name}" for name in found if DDTRACE[name]]
        fix = (
            f"use {', '.join(counterparts)}" if counterparts else "remove them where nothing else reads them"
        )
        yield f"{', '.join(found)}: of no effect on otel-kit, since they are for ddtrace; {fix}"


def _beginning(names: Iterable[str], begin: str) -> str:
    return ", ".join(name for name in names if name.startswith(begin))

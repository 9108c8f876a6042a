"""Variables that are set and do nothing: whoever has set them believes that they do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from otel_kit.errors import nearest

__all__ = ["OWN", "unused"]

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


def _beginning(names: Iterable[str], begin: str) -> str:
    return ", ".join(name for name in names if name.startswith(begin))

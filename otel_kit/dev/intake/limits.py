"""How much one request may carry.

Metrics: 500 KB without compression, 5 MB after decompression
(https://docs.datadoghq.com/opentelemetry/setup/otlp_ingest/metrics/). Logs: 5 MB, and a line is cut at 1 MB
(https://docs.datadoghq.com/api/latest/logs/). Nothing is documented for traces; they get the same 5 MB here.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from otel_kit.dev.model import Signal

__all__ = ["LIMITS", "LOG_LINE_BYTES", "Limit"]


class Limit(NamedTuple):
    """Bytes as they arrive, and bytes after decompression."""

    wire: int
    plain: int


LIMITS: Final[dict[Signal, Limit]] = {
    "traces": Limit(5_000_000, 5_000_000),
    "metrics": Limit(500_000, 5_000_000),
    "logs": Limit(5_000_000, 5_000_000),
}
LOG_LINE_BYTES: Final = 1_000_000

"""Whether the service is under test; set by the pytest plugin, before `init`, and as light as it can be.

Each run of pytest loads the plugin, and most of them never ask for telemetry.
"""

from __future__ import annotations

from typing import Final

__all__ = ["DEFAULTS", "active"]

#: Nothing leaves the process, and what would be sent is kept in `otel_kit.sdk.testing.memory`.
active = False
#: Variables that then count where the environment has none. Log lines would stand beside pytest's own report,
#: whose handlers make it look as if the service had configured the root logger.
DEFAULTS: Final = {"OTEL_KIT_LOGS": "otlp", "OTEL_KIT_LOG_LEVEL": "INFO"}

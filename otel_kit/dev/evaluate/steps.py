"""Which roll-up interval a length of time gets.

Datadog publishes these for graphs (https://docs.datadoghq.com/dashboards/functions/rollup/) and not for
monitors; the stand-in uses the same for both.
"""

from __future__ import annotations

from typing import Final

__all__ = ["step_for"]

_STEPS: Final = (
    (3600, 20),
    (4 * 3600, 60),
    (86_400, 300),
    (2 * 86_400, 600),
    (7 * 86_400, 3600),
    (31 * 86_400, 4 * 3600),
)


def step_for(seconds: int) -> int:
    """Seconds of a bucket for a span of `seconds`."""
    return next((step for length, step in _STEPS if seconds <= length), 86_400)

"""The SDK's tests of metrics, with our provider, meter and instruments in the place of the SDK's."""

from __future__ import annotations

from typing import Final

DISTRIBUTION: Final = "opentelemetry-sdk"
TESTS: Final = ("tests/metrics",)
LIBRARIES: Final = ()


def substitute() -> None:
    """All that the tests reach by `opentelemetry.sdk.metrics`."""
    from opentelemetry.sdk import metrics

    from otel_kit.sdk.metrics import provider

    metrics.MeterProvider = provider.KitMeterProvider  # type: ignore[misc]
    metrics.Meter = provider.KitMeter  # type: ignore[misc]

"""The SDK's tests of logs, with our provider and chain of processors in the place of the SDK's."""

from __future__ import annotations

from typing import Any, Final

DISTRIBUTION: Final = "opentelemetry-sdk"
TESTS: Final = ("tests/logs",)
LIBRARIES: Final = ()


class _Nowhere:
    """Where records go after the processors of a test: `init` has put a queue to the collector there."""

    def put(self, item: Any) -> None:
        """Forget it."""

    def flush(self, _: float) -> bool:
        """Nothing waits."""
        return True


def substitute() -> None:
    """All that the tests reach by `opentelemetry.sdk._logs`."""
    from opentelemetry.sdk import _logs
    from opentelemetry.sdk._logs import _internal
    from opentelemetry.sdk.resources import Resource

    from otel_kit.sdk.logs import provider

    class LoggerProvider(provider.Provider):
        """Made as the SDK's is; only `init` makes ours."""

        def __init__(
            self,
            resource: Resource | None = None,
            *,
            meter_provider: Any = None,
            _logger_configurator: Any = None,
        ) -> None:
            resource = Resource.create({}) if resource is None else resource
            super().__init__(resource, _Nowhere(), meter_provider, lambda _: None)  # type: ignore[arg-type]
            if _logger_configurator is not None:
                self._set_logger_configurator(logger_configurator=_logger_configurator)

    class Chain(provider.Chain):
        """One without a queue at its end."""

        def __init__(self) -> None:
            super().__init__(last=None)

    _logs.LoggerProvider = LoggerProvider  # type: ignore[misc, assignment]
    _internal.LoggerProvider = LoggerProvider  # type: ignore[misc, assignment]
    _internal.SynchronousMultiLogRecordProcessor = Chain  # type: ignore[misc]

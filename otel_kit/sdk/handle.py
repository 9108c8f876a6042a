"""The handle that `otel_kit.init()` returns. Light: it is imported with `otel_kit` itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from otel_kit.sdk.config.environment import Origin
    from otel_kit.sdk.doctor import Diagnosis

__all__ = ["Telemetry"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """What `init` has set up.

    Attributes:
        enabled: False where another SDK is in charge, or the library is switched off.
        service: the name under which this process reports.
        env: ``deployment.environment.name``, or None.
        version: ``service.version``, or None.
        endpoints: signal -> URL that it is sent to, without credentials and query; a signal that is off is
            absent.
        why_disabled: one sentence, empty where enabled.
        settings: each setting with its value, as people may see it, and where that came from.

    Example::

        import otel_kit

        telemetry = otel_kit.init(service="orders", shutdown_timeout=0.5)
        sources = {origin.setting: origin.source for origin in telemetry.settings}
        assert sources["service.name"] == "argument"
    """

    enabled: bool
    service: str
    env: str | None = None
    version: str | None = None
    endpoints: Mapping[str, str] = field(default_factory=dict)
    why_disabled: str = ""
    settings: tuple[Origin, ...] = field(default=(), repr=False, compare=False)
    _flush: Callable[[float], bool] = field(default=lambda _: True, repr=False, compare=False)
    _end: Callable[[], None] = field(default=lambda: None, repr=False, compare=False)

    def force_flush(self, timeout: float = 10.0) -> bool:
        """Deliver all that was recorded before this call.

        Args:
            timeout: seconds to wait at most.

        Returns:
            False where something could not be delivered in time; it stays queued.
        """
        return self._flush(timeout)

    def diagnose(self) -> Diagnosis:
        """What ``otel-kit doctor`` finds, in this process and at this moment.

        It sends one item of each signal and may block for seconds, so it is no health check.
        """
        from otel_kit.sdk.doctor import examine

        return examine()

    def shutdown(self) -> None:
        """Flush within the shutdown budget and stop for good; what comes later is dropped and counted."""
        self._end()

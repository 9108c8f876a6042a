"""Reading the stand-in for Datadog back over HTTP: what arrived, and what became of it."""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

from tests.parts import eventually

__all__ = ["StandIn"]

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StandIn:
    """A running ``otel-kit dev`` at `url`, as its readers see it."""

    url: str

    def get(self, path: str, **params: str | int) -> Any:
        """The JSON answer of a GET."""
        query = f"?{urllib.parse.urlencode(params)}" if params else ""
        request = urllib.request.Request(
            f"{self.url}{path}{query}",
            headers={"DD-API-KEY": "reader", "DD-APPLICATION-KEY": "reader"},
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(
                f"GET {path}: {error.code} {error.read().decode(errors='replace')}"
            ) from None

    def traces(self, service: str, limit: int = 1000) -> list[Json]:
        """Summaries of the newest traces with a span of `service`."""
        return list(self.get("/dev/api/traces", service=service, limit=limit))

    def trace(self, trace_id: str) -> Json:
        """One trace: its spans and its log lines."""
        return dict(self.get(f"/dev/api/traces/{trace_id}"))

    def logs(self, service: str, limit: int = 10_000) -> list[Json]:
        """The newest log lines of `service`."""
        return list(self.get("/dev/api/logs", service=service, limit=limit))

    def total(self, query: str, *, seconds: int = 3600) -> float:
        """The sum of all points of a metric query over the last `seconds`, as Datadog would answer it."""
        now = int(time.time())
        answer = self.get("/api/v1/query", query=query, **{"from": now - seconds, "to": now + 60})
        return float(sum(v for series in answer["series"] for _, v in series["pointlist"] if v is not None))

    def monitor(self, name: str) -> Json:
        """The monitor whose name contains `name`, with its groups."""
        for monitor in self.get("/dev/api/monitors"):
            if name in monitor["name"]:
                return dict(monitor)
        raise AssertionError(f"the stand-in has no monitor named like {name!r}")

    def notifications(self, monitor_id: int) -> list[Json]:
        """What a monitor told its recipients, newest first."""
        return list(self.get("/dev/api/notifications", monitor_id=monitor_id))

    def losses(self, *, collector: bool = True, timeout: float = 20.0) -> dict[str, float]:
        """All that was lost anywhere on the way, by reason; empty when nothing was.

        The stand-in tells what it refused or overwrote; the collector and the services tell by their own
        metrics, which arrive here like any other. Without those nobody knows, so they are waited for.
        `collector`: whether one is on the way.

        Raises:
            AssertionError: no metric about what was delivered came within `timeout` seconds.
        """
        try:
            eventually(lambda: not self._silent(collector), timeout=timeout)
        except AssertionError:
            who = " and ".join(self._silent(collector))
            raise AssertionError(
                f"what was lost is not known: within {timeout:g} s no report of deliveries came from {who}"
            ) from None
        lost = {f"{x['signal']}: {x['reason']}": float(x["count"]) for x in self.get("/dev/api/losses")}
        for metric in self.get("/dev/api/metrics"):
            scope = _scope_of_losses(metric["name"])
            count = self._counted(metric["name"], scope) if scope else 0
            if count:
                lost[metric["name"]] = count
        return lost

    def _silent(self, collector: bool) -> list[str]:
        """Who has not said yet that it delivered anything."""
        delivered = {"the services (otel.sdk.exporter.*.exported)": _SERVICE_SENT}
        if collector:
            delivered["the collector (otelcol_exporter_sent_*)"] = _COLLECTOR_SENT
        names = [metric["name"] for metric in self.get("/dev/api/metrics")]
        return [
            who
            for who, (pattern, scope) in delivered.items()
            if not any(self._counted(name, scope) for name in names if pattern.fullmatch(name))
        ]

    def _counted(self, metric: str, scope: str) -> float:
        return self.total(f"sum:{metric}{{{scope}}}.as_count()")


#: Metrics that count what was delivered, and the filter under which they do.
_SERVICE_SENT = (re.compile(r"otel\.sdk\.exporter\..+\.exported"), "!error.type:*")
_COLLECTOR_SENT = (re.compile(r"otelcol_exporter_sent_.+"), "*")
#: Name parts of the collector's own metrics that count what it refused or could not deliver.
_COLLECTOR_LOSS = (
    "_refused_",
    "_receiver_failed_",
    "_enqueue_failed_",
    "_send_failed_",
    "_dropped_too_early",
)


def _scope_of_losses(metric: str) -> str | None:
    """The filter under which a metric counts losses; None for a metric that counts something else."""
    if metric.startswith("otelcol"):
        return "*" if any(part in metric for part in _COLLECTOR_LOSS) else None
    return "error.type:*" if metric.startswith(("otel.sdk.exporter.", "otel.sdk.processor.")) else None

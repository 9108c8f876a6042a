"""What the demo must have seen before it may say that all of it works."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import Any

from tests.parts import eventually
from tests.standin import StandIn

Json = dict[str, Any]
BFF, ORDERS = "shop-bff", "shop-orders"


@dataclass(slots=True)
class Proof:
    """Reads each fact from the stand-in, prints it, and remembers whether one was missing."""

    stand_in: StandIn
    ok: bool = field(default=True, init=False)

    def counts(self, sent: int) -> None:
        """Datadog's counts equal the requests that were sent."""
        for label, query in (
            ("HTTP requests at the BFF", f"count:http.server.request.duration{{service:{BFF}}}.as_count()"),
            ("gRPC calls at orders", f"count:rpc.server.call.duration{{service:{ORDERS}}}.as_count()"),
        ):
            counted = self._settled(query, sent)
            self._fact(counted == sent, f"{label}: sent {sent}, counted {counted:g}", query)

    def trace(self) -> None:
        """One trace crosses both services with the right parents, and its log lines carry its id."""
        trace: Json = {}
        with contextlib.suppress(AssertionError):  # the fact says that none was found
            trace = eventually(self._whole_trace, timeout=15)
        if not trace:
            self._fact(False, f"No trace with spans and log lines in both {BFF} and {ORDERS}")
            return
        self._fact(True, f"Trace {trace['trace_id']}", *_tree(trace["spans"]))
        lines = [f"{x['status']:<5} {x['service']:<12} {x['message']}" for x in trace["logs"]]
        self._fact(True, f"{len(lines)} log lines with this trace id", *lines)

    def monitor(self, name: str) -> None:
        """The monitor went to Alert and told somebody something."""
        monitor = self.stand_in.monitor(name)
        alerts = [n for n in self.stand_in.notifications(monitor["id"]) if n["to"] == "Alert"]
        if not alerts:
            self._fact(False, f"Monitor {monitor['name']!r} told nobody: {monitor['overall_state']}")
            return
        alert = alerts[-1]
        head = f"Monitor {monitor['name']!r}: {alert['from']} -> {alert['to']} at {alert['value']:.1f}"
        to, lines = ", ".join(alert["recipients"]), alert["message"].splitlines()
        sent = f"group {alert['group']}, sent to {to or 'nobody'}"
        self._fact(bool(to and lines), head, sent, *(lines or ["an empty message"]))

    def losses(self) -> None:
        """Nothing was dropped by a service, by the collector, or by the stand-in."""
        try:
            lost = self.stand_in.losses()
        except AssertionError as unknown:
            self._fact(False, str(unknown))
            return
        self._fact(
            not lost, f"Dropped anywhere: {sum(lost.values()):g}", *(f"{k}: {v:g}" for k, v in lost.items())
        )

    def _whole_trace(self) -> Json:
        """A trace that crosses both services and has log lines of both, or an empty one."""
        for summary in self.stand_in.traces(BFF, limit=20):
            trace = self.stand_in.trace(summary["trace_id"])
            if _crosses(trace["spans"]) and {log["service"] for log in trace["logs"]} >= {BFF, ORDERS}:
                return trace
        return {}

    def _settled(self, query: str, wanted: int) -> float:
        with contextlib.suppress(AssertionError):  # the fact shows what was counted instead
            eventually(lambda: self.stand_in.total(query) >= wanted, timeout=15)
        return self.stand_in.total(query)

    def _fact(self, seen: bool, head: str, *details: str) -> None:
        self.ok = self.ok and seen
        print(f"  {'✓' if seen else '✗'} {head}")
        for line in details:
            print(f"      {line}")


def _crosses(spans: list[Json]) -> bool:
    """Whether a server span of the BFF leads over a client span to a server span of orders."""
    by_id = {s["span_id"]: s for s in spans}
    for span in spans:
        client = by_id.get(span["parent_id"] or "")
        root = by_id.get(client["parent_id"] or "") if client else None
        if client and root and (span["service"], client["service"], root["service"]) == (ORDERS, BFF, BFF):
            return [s["kind"] for s in (root, client, span)] == ["server", "client", "server"]
    return False


def _tree(spans: list[Json], parent: str | None = None, depth: int = 0) -> list[str]:
    """The spans as an indented tree, one line each, in order of time."""
    known = {s["span_id"] for s in spans}
    lines = []
    for span in sorted(spans, key=lambda s: s["start_ns"]):
        over = span["parent_id"] if span["parent_id"] in known else None
        if over == parent:
            took = span["duration_ns"] / 1e6
            text = f"{'  ' * depth}{span['service']}: {span['resource']} ({span['kind']}, {took:.1f} ms)"
            lines += [text, *_tree(spans, span["span_id"], depth + 1)]
    return lines

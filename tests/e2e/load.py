"""Requests to the BFF, and what Datadog must make of them."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import httpx

from tests.parts import eventually
from tests.standin import StandIn

HTTP_COUNT = "count:http.server.request.duration{service:shop-bff}.as_count()"
RPC_COUNT = "count:rpc.server.call.duration{service:shop-orders}.as_count()"
BASKET = {"product": "tea", "quantity": 2, "total_cents": 900}


def place_orders(url: str, count: int) -> None:
    """`count` orders, one after the other; each must be accepted."""
    with httpx.Client(base_url=url, timeout=10) as client:
        for _ in range(count):
            answer = client.post("/orders", json=BASKET)
            assert answer.status_code == 201, answer.text


@dataclass
class Load:
    """Steady requests from a thread until `stop`; remembers how many were sent and which failed."""

    url: str
    per_second: float
    sent: int = 0
    failures: list[str] = field(default_factory=list)
    _stopped: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop after the request that is under way."""
        self._stopped.set()
        self._thread.join(timeout=30)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        started = time.monotonic()
        with httpx.Client(base_url=self.url, timeout=10) as client:
            while not self._stopped.is_set():
                try:
                    answer = client.post("/orders", json=BASKET)
                    if answer.status_code != 201:
                        self.failures.append(answer.text)
                except httpx.HTTPError as error:
                    self.failures.append(repr(error))
                self.sent += 1
                due = started + self.sent / self.per_second
                self._stopped.wait(max(0.0, due - time.monotonic()))


def assert_all_arrived(stand_in: StandIn, requests: int) -> None:
    """Each request is there: counted once at both services, and as a whole trace with a log line of both.

    Spans and log lines are delivered at least once: a collector that dies after it took a batch and before
    it said so gets that batch again. Counts are exact even then, for Datadog keeps one point a
    second of a series.
    """
    for query in (HTTP_COUNT, RPC_COUNT):
        eventually(lambda q=query: stand_in.total(q) >= requests, timeout=30, what=query)  # type: ignore[misc]
        assert stand_in.total(query) == requests, query
    eventually(lambda: len(_whole(stand_in, requests)) >= requests, timeout=30, what="whole traces")
    traces = _whole(stand_in, requests)
    assert len(traces) == requests
    for service, message in (("shop-bff", "basket sold"), ("shop-orders", "order placed")):
        eventually(lambda s=service, m=message: _told(stand_in, s, m) == traces, timeout=30, what=message)  # type: ignore[misc]


def _told(stand_in: StandIn, service: str, message: str) -> set[str]:
    """Ids of the traces with this log line."""
    return {log["trace_id"] for log in stand_in.logs(service) if log["message"] == message}


def _whole(stand_in: StandIn, requests: int) -> set[str]:
    """Ids of the traces that have their three spans: BFF server, BFF client, orders server."""
    return {t["trace_id"] for t in stand_in.traces("shop-bff", limit=requests * 2) if t["spans"] >= 3}

"""Keeps encoded OTLP requests until the collector has them: in order, bounded in bytes, retried with backoff.

A collector that is restarted must not cost data, so a request leaves only when it was accepted, refused for
good, or pushed out by the bound. Encoded spans are about six times smaller than the objects they come from,
so the bound holds an outage of minutes in a few megabytes.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from otel_kit.sdk.delivery.tally import Tally
from otel_kit.sdk.delivery.threads import spawn

__all__ = ["NO_ANSWER", "Outbox", "Outcome", "Payload", "Sender"]

#: The reason where what answered is no collector, whatever it said.
NO_ANSWER: Final = "no OTLP answer"
MAX_BACKOFF: Final = 5.0
#: How long to wait between two tries while a shutdown budget runs.
HURRIED_BACKOFF: Final = 0.2
MAX_RETRY_AFTER: Final = 30.0
#: Tries at an endpoint that refuses connections and never accepted anything, before a shutdown gives it up.
HOPELESS_AFTER: Final = 2
#: Tries of one request that is cut off each time; it must not hold up all the others for good.
CUTS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """One encoded OTLP export request and how many spans, records or points it carries."""

    body: bytes
    items: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one try.

    Attributes:
        verdict: ``delivered``; ``retry`` later; or ``refused``: sending it again cannot help.
        why: the reason in a few words, also the value of ``error.type``: ``503``, ``ConnectionRefusedError``.
        rejected: items of a delivered request that the collector said it did not take.
        retry_after: seconds the collector asked for.
        unreachable: nothing listens at the endpoint, so waiting out a budget is rarely worth it.
        cut: the connection was closed amid the request, as by a server that does not want a body so long.
    """

    verdict: Literal["delivered", "retry", "refused"]
    why: str = ""
    rejected: int = 0
    retry_after: float | None = None
    unreachable: bool = False
    cut: bool = False


class Sender(Protocol):
    """Sends one encoded request; called by one thread only."""

    def send(self, body: bytes, timeout: float) -> Outcome:
        """Try once, within about `timeout` seconds; never raises for what the network does."""

    def reset(self) -> None:
        """Forget connections, without using them: they belong to the parent process."""


class Outbox:
    """A bounded queue of payloads and the daemon thread that delivers them.

    Args:
        sender: how to reach the collector.
        tally: counts deliveries and losses.
        limit: bytes of encoded requests to keep; the oldest make room.
        timeout: seconds for one try.
    """

    def __init__(self, sender: Sender, tally: Tally, *, limit: int, timeout: float) -> None:
        self._sender = sender
        self._tally = tally
        self._limit = limit
        self._timeout = timeout
        self._wanted = True
        self._reset()

    def _reset(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[Payload] = deque()
        self._in_flight: Payload | None = None
        self._reporting = False
        self._bytes = 0
        self._tries = 0
        self._cuts = 0
        self._next_try = 0.0
        self._deadline: float | None = None
        self._hopeless = False
        self._ever_delivered = False
        self._closed = False

    def redirect(self, sender: Sender, *, timeout: float) -> None:
        """Deliver to another place from the next request on."""
        self._sender, self._timeout = sender, timeout

    def refuse(self) -> None:
        """Take nothing more, and count none of it: nobody wants it."""
        self._wanted = False

    def start(self) -> None:
        """Start delivering."""
        spawn(f"otel-kit-send-{self._tally.signal}", self._run, lasting=True)

    def renew_after_fork(self) -> None:
        """Begin anew in a child process: what waited belongs to the parent, which delivers it."""
        self._reset()
        self._sender.reset()
        self.start()

    def put(self, payload: Payload) -> None:
        """Take a payload over; the oldest ones make room for it where the bound is reached."""
        if not self._wanted:
            return
        lost = 0
        with self._changed:
            if self._closed:
                lost = payload.items
            else:
                self._waiting.append(payload)
                self._bytes += len(payload.body)
                while self._bytes > self._limit and len(self._waiting) > 1:
                    oldest = self._waiting.popleft()
                    self._bytes -= len(oldest.body)
                    lost += oldest.items
                self._changed.notify_all()
        if lost:
            self._tally.dropped(lost, "already_shutdown" if self._closed else "queue_full")

    def hurry(self, deadline: float) -> None:
        """Retry quickly until `deadline` (`time.monotonic()`), for a shutdown."""
        with self._changed:
            self._deadline = deadline
            self._hopeless = False
            self._tries = 0
            self._next_try = 0.0
            self._changed.notify_all()

    def wait_empty(self, deadline: float) -> bool:
        """Wait until all is delivered; False at the `deadline`, once closed, or where there is no hope."""
        with self._changed:
            # Reported, too, since the process may tell its figures next.
            while self._reporting or ((self._waiting or self._in_flight) and not self._hopeless):
                left = deadline - time.monotonic()
                if left <= 0 or self._closed:
                    break
                self._changed.wait(left)
            self._deadline = None
            return not self._waiting and self._in_flight is None

    def close(self) -> None:
        """Stop for good; what still waits is counted as lost."""
        with self._changed:
            self._closed = True
            lost = sum(p.items for p in self._waiting)
            if self._in_flight is not None:
                lost += self._in_flight.items
            self._waiting.clear()
            self._changed.notify_all()
        if lost:
            self._tally.dropped(lost, "shutdown_timeout")

    def _run(self) -> None:
        self._give_up()
        while (payload := self._take()) is not None:
            timeout = self._timeout
            if self._deadline is not None:
                timeout = max(0.05, min(timeout, self._deadline - time.monotonic()))
            self._settle(payload, self._try(payload, timeout))

    def _give_up(self) -> None:
        """Count what this thread was at when it failed, if it did; it might fail over it again."""
        with self._changed:
            payload, self._in_flight = self._in_flight, None
            self._changed.notify_all()
        if payload is not None and not self._closed:  # else close() has counted it
            self._tally.dropped(payload.items, "fault")

    def _try(self, payload: Payload, timeout: float) -> Outcome:
        try:
            return self._sender.send(payload.body, timeout)
        except BaseException as error:  # a header that cannot be sent, say: no later try would be better
            return Outcome(verdict="refused", why=type(error).__name__)

    def _take(self) -> Payload | None:
        with self._changed:
            while not self._closed:
                wait = self._next_try - time.monotonic()
                if self._waiting and wait <= 0:
                    self._in_flight = self._waiting.popleft()
                    self._bytes -= len(self._in_flight.body)
                    return self._in_flight
                self._changed.wait(wait if self._waiting else None)
            return None

    def _settle(self, payload: Payload, outcome: Outcome) -> None:
        with self._changed:
            self._in_flight = None
            if self._closed:
                return  # close() has counted it
            self._cuts = self._cuts + outcome.cut if outcome.verdict == "retry" else 0
            if self._cuts == CUTS:
                self._cuts = 0
                outcome = Outcome(verdict="refused", why="cut off")
            if outcome.verdict == "retry":
                self._waiting.appendleft(payload)
                self._bytes += len(payload.body)
                self._back_off(outcome)
            else:
                self._tries = 0
                self._hopeless = False
                self._ever_delivered = True
            self._reporting = True
        try:
            self._report(payload, outcome)
        finally:
            with self._changed:
                self._reporting = False
                self._changed.notify_all()

    def _back_off(self, outcome: Outcome) -> None:
        self._tries += 1
        if self._deadline is not None:
            never_there = outcome.unreachable and not self._ever_delivered
            self._hopeless = never_there and self._tries >= HOPELESS_AFTER
            pause = HURRIED_BACKOFF
        else:
            pause = min(MAX_BACKOFF, 0.25 * 2 ** min(self._tries, 10)) * random.uniform(0.8, 1.2)  # noqa: S311
        if outcome.retry_after is not None and self._deadline is None:
            pause = max(pause, min(outcome.retry_after, MAX_RETRY_AFTER))
        self._next_try = time.monotonic() + pause

    def _report(self, payload: Payload, outcome: Outcome) -> None:
        if outcome.verdict == "retry":
            self._tally.failing(outcome.why, waiting=self._bytes)
        elif outcome.verdict == "refused":
            self._tally.dropped(payload.items, outcome.why)
        else:
            rejected = max(0, min(outcome.rejected, payload.items))  # collectors have bugs, too
            self._tally.delivered(payload.items - rejected)
            if rejected:
                self._tally.dropped(rejected, "rejected", outcome.why)

"""Collects ended spans and log records, and hands them as encoded requests to an outbox.

The thread here never touches the network, so it empties its queue in time whatever the collector does.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from otel_kit.sdk.delivery.outbox import Outbox, Payload
from otel_kit.sdk.delivery.tally import Tally
from otel_kit.sdk.delivery.threads import Alarm, spawn

__all__ = ["BatchQueue"]

T = TypeVar("T")
#: Items that may wait for the encoding thread; it wakes at every `BATCH` items, so this is only ever reached
#: when the process gives that thread no time at all.
MAX_ITEMS: Final = 16_384
BATCH: Final = 512
#: What one request takes when more than that waits: whatever its size, the thread that sends has to get at
#: the interpreter's lock a few times for it, and a busy service lets it wait for that every time.
LARGE_BATCH: Final = 2048
DELAY: Final = 1.0
#: Below the 4 MiB that gRPC servers take by default.
MAX_BODY: Final = 3_500_000


class BatchQueue(Generic[T]):
    """A bounded queue of items and the daemon thread that encodes them.

    Args:
        encode: makes one OTLP request of items.
        outbox: takes the requests.
        tally: counts what is lost here.
    """

    def __init__(self, encode: Callable[[Sequence[T]], bytes], outbox: Outbox, tally: Tally) -> None:
        self._encode = encode
        self.outbox = outbox
        self._tally = tally
        self._reset()

    def _reset(self) -> None:
        self._items: deque[T] = deque()
        self._alarm = Alarm()
        self._emptied = threading.Condition()
        self._asked = 0
        self._answered = 0
        self._delay = DELAY
        self._closed = False

    def start(self) -> None:
        """Start encoding."""
        spawn(f"otel-kit-batch-{self._tally.signal}", self._run, lasting=True)

    def renew_after_fork(self) -> None:
        """Begin anew in a child process: what waited belongs to the parent."""
        self._reset()
        self.start()

    def put(self, item: T) -> None:
        """Add one item; O(1), takes no lock, never blocks."""
        if self._closed:
            self._tally.dropped(1, "already_shutdown")
            return
        items = self._items
        items.append(item)
        if len(items) >= BATCH:
            if len(items) > MAX_ITEMS:
                self._drop_oldest()
            self._alarm.ring()

    def ask(self) -> int:
        """Ask for all that waits to be encoded now; the ticket is for `wait`."""
        with self._emptied:
            self._asked += 1
            ticket = self._asked
        self._alarm.ring()
        return ticket

    def wait(self, ticket: int, deadline: float) -> bool:
        """Wait until what was put before `ask` is in the outbox; False at the deadline."""
        with self._emptied:
            while self._answered < ticket:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._emptied.wait(left)
        return True

    def flush(self, timeout: float) -> bool:
        """Wait until what was put before is delivered, `timeout` seconds at most."""
        deadline = time.monotonic() + timeout
        return self.wait(self.ask(), deadline) and self.outbox.wait_empty(deadline)

    def hasten(self, *, on: bool) -> None:
        """Batch for moments only (the process may end any moment), or as usual again."""
        self._delay = DELAY / 10 if on else DELAY
        self._alarm.ring()

    def close(self) -> None:
        """Take nothing more; what was not encoded in time is counted as lost."""
        self._closed = True
        self._alarm.ring()
        lost = len(self._items)
        self._items.clear()
        if lost:
            self._tally.dropped(lost, "shutdown_timeout")

    def _drop_oldest(self) -> None:
        try:
            self._items.popleft()
        except IndexError:  # the encoding thread was quicker
            return
        self._tally.dropped(1, "queue_full")

    def _run(self) -> None:
        while not self._closed:
            woken = self._alarm.wait(self._delay)
            with self._emptied:
                ticket = self._asked
            # The rest of a full batch waits for more, unless somebody waits for it, or it has waited enough.
            least = BATCH if woken and ticket == self._answered else 1
            while len(self._items) >= least:
                self._encode_batch()
                if len(self._items) < LARGE_BATCH:
                    time.sleep(0)  # lets go of the interpreter's lock, for a request that waits for it
            with self._emptied:
                self._answered = ticket
                self._emptied.notify_all()

    def _encode_batch(self) -> None:
        items = self._items
        batch: list[T] = []
        with contextlib.suppress(IndexError):  # closed meanwhile
            for _ in range(LARGE_BATCH if len(items) > LARGE_BATCH else BATCH):
                batch.append(items.popleft())
        if batch:
            try:
                self._post(batch)
            except BaseException:
                self._tally.dropped(len(batch), "fault")
                raise

    def _post(self, batch: Sequence[T]) -> None:
        try:
            body = self._encode(batch)
        except BaseException as error:  # an extension's panic, in an object of the service, is no Exception
            if len(batch) == 1:
                self._tally.dropped(1, "encode", type(error).__name__)
                return
            body = None
        if body is not None and len(body) <= MAX_BODY:
            self.outbox.put(Payload(body=body, items=len(batch)))
            return
        if len(batch) == 1:
            self._tally.dropped(1, "too_large")
            return
        # One bad or huge item must not take the others with it.
        middle = len(batch) // 2
        self._post(batch[:middle])
        self._post(batch[middle:])

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
#: Items of one request. To send one takes half a millisecond whatever its size, and the thread that sends
#: has to get at the interpreter's lock a few times, which in a busy service takes longer every time.
BATCH: Final = 2048
#: Items that are encoded in one go, a fraction of a millisecond, before a request that waits may have the
#: interpreter's lock. With slices of 512 the p99 of a service was 1.7 times that without us, with these 1.4.
SLICE: Final = 128
DELAY: Final = 1.0
#: Below the 4 MiB that gRPC servers take by default.
MAX_BODY: Final = 3_500_000
#: What may wait in bytes, by the size that items had of late once encoded: to ask each for its size would
#: cost whoever puts it more than all the rest.
MAX_BYTES: Final = 32_000_000
#: Bytes of an item, before there was one; and how many items the average is of.
_USUAL: Final = 400
_RECENT: Final = 512


class BatchQueue(Generic[T]):
    """A bounded queue of items and the daemon thread that encodes them.

    Args:
        encode: makes one OTLP request of items.
        outbox: takes the requests.
        tally: counts what is lost here.
        prepare: called in the first quiet moment, for what would hold up whoever comes first.
    """

    def __init__(
        self,
        encode: Callable[[Sequence[T]], bytes],
        outbox: Outbox,
        tally: Tally,
        *,
        prepare: Callable[[], None] | None = None,
    ) -> None:
        self._encode = encode
        self._prepare = prepare
        self.outbox = outbox
        self._tally = tally
        self._reset()

    def _reset(self) -> None:
        self._items: deque[T] = deque()
        self._alarm = Alarm()
        self._emptied = threading.Condition()
        self._asked = 0
        self._answered = 0
        self._encoding = 0
        self._weight = _USUAL
        self._room, self._enough = MAX_ITEMS, BATCH
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
        if len(items) >= self._enough:
            if len(items) > self._room:
                self._drop_oldest(1)
            self._alarm.ring()

    def ask(self) -> int:
        """Ask for all that waits to be encoded now; the ticket is for `wait`."""
        with self._emptied:
            self._asked += 1
            ticket = self._asked
        self._alarm.ring()
        return ticket

    def wait(self, ticket: int, deadline: float) -> bool:
        """Wait until what was put before `ask` is in the outbox; False at the deadline, and once closed."""
        with self._emptied:
            while self._answered < ticket:
                left = deadline - time.monotonic()
                if left <= 0 or self._closed:
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
        with self._emptied:
            self._closed = True
            lost = len(self._items) + self._encoding
            self._items.clear()
            self._emptied.notify_all()
        self._alarm.ring()
        if lost:
            self._tally.dropped(lost, "shutdown_timeout")

    def _drop_oldest(self, count: int) -> None:
        dropped = 0
        with contextlib.suppress(IndexError):  # the encoding thread was quicker
            for _ in range(count):
                self._items.popleft()
                dropped += 1
        if dropped:
            self._tally.dropped(dropped, "queue_full")

    def _run(self) -> None:
        while not self._closed:
            woken = self._alarm.wait(self._delay)
            if self._prepare is not None and not woken:
                prepare, self._prepare = self._prepare, None
                prepare()
            with self._emptied:
                ticket = self._asked
            # The rest of a full batch waits for more, unless somebody waits for it, or it has waited enough.
            least = self._enough if woken and ticket == self._answered else 1
            while len(self._items) >= least:
                self._encode_batch()
            with self._emptied:
                self._answered = ticket
                self._emptied.notify_all()

    def _encode_batch(self) -> None:
        items = self._items
        batch: list[T] = []
        fitting = max(1, MAX_BODY // self._weight)
        with self._emptied:
            with contextlib.suppress(IndexError):  # closed meanwhile
                for _ in range(min(BATCH, fitting)):
                    batch.append(items.popleft())
            self._encoding = len(batch)
        try:
            self._post(batch)
        except BaseException:  # the thread goes on, see `spawn`
            self._lose(self._encoding, "fault")
            raise

    def _post(self, batch: Sequence[T]) -> None:
        if self._closed or not batch:
            return
        try:
            body = self._encoded(batch)
        except BaseException as error:  # of an object of the service; a panic of an extension is no Exception
            if len(batch) == 1:
                self._lose(1, "encode", type(error).__name__)
                return
            body = None
        if body is not None:
            self._weigh(len(body), len(batch))
            if len(body) <= MAX_BODY:
                if self._settled(len(batch)):
                    self.outbox.put(Payload(body=body, items=len(batch)))
                return
        if len(batch) == 1:
            self._lose(1, "too_large")
            return
        # One bad or huge item must not take the others with it.
        middle = len(batch) // 2
        self._post(batch[:middle])
        self._post(batch[middle:])

    def _encoded(self, batch: Sequence[T]) -> bytes:
        """One request: protobuf merges messages of one type that are put together."""
        slices: list[bytes] = []
        for begin in range(0, len(batch), SLICE):
            slices.append(self._encode(batch[begin : begin + SLICE]))
            if len(self._items) < BATCH:
                time.sleep(0)  # lets go of the interpreter's lock, for a request that waits for it
        return b"".join(slices)

    def _weigh(self, size: int, items: int) -> None:
        """Let the last items count for the average; a single large one must not make the others lose room."""
        self._weight = max(1, self._weight + (size - self._weight * items) // (items + _RECENT))
        self._enough = max(1, min(BATCH, MAX_BODY // self._weight))
        self._room = max(self._enough, min(MAX_ITEMS, MAX_BYTES // self._weight))
        self._drop_oldest(len(self._items) - self._room)

    def _lose(self, items: int, reason: str, detail: str = "") -> None:
        if self._settled(items):
            self._tally.dropped(items, reason, detail)

    def _settled(self, items: int) -> bool:
        """What becomes of these is known; False where `close` has counted them as lost."""
        with self._emptied:
            self._encoding -= items
            return not self._closed

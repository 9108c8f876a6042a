"""The queue of items: full batches, nothing left behind, bounded, and one bad item takes no other with it."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from otel_kit.sdk.delivery.batch import BATCH, MAX_BODY, MAX_BYTES, MAX_ITEMS, SLICE, BatchQueue
from otel_kit.sdk.delivery.outbox import Outbox
from otel_kit.sdk.delivery.send_http import HttpSender
from otel_kit.sdk.delivery.tally import Tally
from otel_kit.sdk.otlp.wire import field
from tests.parts import eventually
from tests.sdk.sink import running_sink


class Queue:
    """A queue of numbers whose requests go to a sink; bad ones cannot be encoded."""

    def __init__(
        self, url: str, *, bad: frozenset[int] = frozenset(), size: int = 0, rejected: int = 0
    ) -> None:
        self.batches: list[list[int]] = []
        self._bad = bad
        self.size = size
        self.tally = Tally("traces", protocol="http/protobuf", endpoint=url)
        sender = HttpSender(
            f"{url}/v1/traces", headers={}, compress=False, tls=None, rejected=lambda _: (rejected, "")
        )
        self.outbox = Outbox(sender, self.tally, limit=100_000_000, timeout=5.0)
        self.queue: BatchQueue[int] = BatchQueue(self._encode, self.outbox, self.tally)

    def _encode(self, items: Sequence[int]) -> bytes:
        if not self._bad.isdisjoint(items):
            raise ValueError("bad")
        self.batches.append(list(items))
        return field(b"\x7a", bytes(self.size * len(items)))  # of a number that nobody knows

    def start(self) -> None:
        self.outbox.start()
        self.queue.start()

    def close(self) -> None:
        self.queue.close()
        self.outbox.close()


def test_what_waits_is_sent_in_order_and_in_large_batches_where_it_is_much() -> None:
    with running_sink() as sink:
        made = Queue(sink.url)
        many = 2 * BATCH + SLICE + 7
        for number in range(many):
            made.queue.put(number)
        made.start()
        assert made.queue.flush(20.0)
        made.close()
    assert [number for batch in made.batches for number in batch] == list(range(many))
    assert [len(batch) for batch in made.batches] == [SLICE] * (2 * BATCH // SLICE + 1) + [7]
    assert len(sink.seen.headers) == 3
    assert made.tally.figures() == (many, 0)


def test_what_is_to_be_prepared_is_so_in_the_first_quiet_moment() -> None:
    begun = threading.Event()
    with running_sink() as sink:
        made = Queue(sink.url)
        queue: BatchQueue[int] = BatchQueue(lambda _: b"", made.outbox, made.tally, prepare=begun.set)
        queue.start()
        assert queue.wait(queue.ask(), time.monotonic() + 30)  # a process may end here: no time for that
        assert not begun.is_set()
        assert begun.wait(30)
        queue.close()
        made.outbox.close()


def test_the_rest_of_a_batch_is_sent_within_the_delay() -> None:
    with running_sink() as sink:
        made = Queue(sink.url)
        made.start()
        for number in range(BATCH + 3):
            made.queue.put(number)
        eventually(lambda: made.tally.figures() == (BATCH + 3, 0), every=0.02, what="all of it")
        made.close()
    assert sum(map(len, made.batches[: BATCH // SLICE])) == BATCH


def test_the_oldest_make_room_and_are_counted() -> None:
    with running_sink() as sink:
        made = Queue(sink.url)
        for number in range(MAX_ITEMS + 10):
            made.queue.put(number)
        made.start()
        assert made.queue.flush(20.0)
        made.close()
    assert made.tally.figures() == (MAX_ITEMS, 10)
    assert made.batches[0][0] == 10


def test_bad_items_are_dropped_and_counted_alone() -> None:
    bad = frozenset({0, 100, 101, 511})
    with running_sink() as sink:
        made = Queue(sink.url, bad=bad)
        for number in range(BATCH):
            made.queue.put(number)
        made.start()
        assert made.queue.flush(20.0)
        made.close()
    assert made.tally.figures() == (BATCH - 4, 4)
    assert set().union(*made.batches) == set(range(BATCH)) - bad


def test_what_comes_or_waits_at_the_end_is_counted() -> None:
    with running_sink() as sink:
        made = Queue(sink.url)
        made.queue.put(1)
        made.close()
        made.queue.put(2)
    assert made.tally.figures() == (0, 2)
    assert not made.queue.flush(3600.0)


def test_what_waits_is_bounded_in_bytes() -> None:
    size = 20_000
    with running_sink() as sink:
        made = Queue(sink.url, size=size)
        for number in range(10_000):
            made.queue.put(number)
        made.start()
        assert made.queue.flush(20.0)
        delivered, dropped = made.tally.figures()
        assert delivered + dropped == 10_000
        assert (delivered - BATCH) * size < 2 * MAX_BYTES  # the first ones tell their size
        assert made.batches[-1][-1] == 9_999

        made.size = 0
        for _ in range(20):  # room comes back with items of the usual size
            for number in range(BATCH):
                made.queue.put(number)
            assert made.queue.flush(20.0)
        before = made.tally.figures()[1]
        for number in range(BATCH * 8):
            made.queue.put(number)
        assert made.queue.flush(20.0)
        assert made.tally.figures()[1] == before
        made.close()


def test_one_large_item_takes_no_room_from_the_others() -> None:
    with running_sink() as sink:
        made = Queue(sink.url, size=MAX_BODY - 100)
        made.start()
        made.queue.put(0)
        assert made.queue.flush(20.0)
        made.size = 400
        for number in range(2 * BATCH):
            made.queue.put(number)
        assert made.queue.flush(20.0)
        made.close()
    assert made.tally.figures() == (2 * BATCH + 1, 0)


def test_what_is_being_encoded_at_the_end_is_counted_once() -> None:
    begun, free = threading.Event(), threading.Event()

    def hang(_: Sequence[int]) -> bytes:
        begun.set()
        free.wait(30)
        return b""

    with running_sink() as sink:
        made = Queue(sink.url)
        queue: BatchQueue[int] = BatchQueue(hang, made.outbox, made.tally)
        queue.start()
        for number in range(5):
            queue.put(number)
        assert not queue.flush(0.0)
        assert begun.wait(30)
        queue.put(6)
        queue.close()
        free.set()
        queue.wait(1, time.monotonic() + 30)
        made.outbox.close()
    assert made.tally.figures() == (0, 6)


def test_an_odd_answer_of_a_collector_makes_no_odd_figures() -> None:
    for rejected, figures in ((2, (1, 2)), (50, (0, 3)), (-1, (3, 0))):
        with running_sink() as sink:
            made = Queue(sink.url, rejected=rejected)
            for number in range(3):
                made.queue.put(number)
            made.start()
            assert made.queue.flush(20.0)
            made.close()
        assert made.tally.figures() == figures

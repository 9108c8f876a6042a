"""Records a little of each signal, then ends normally; prints the moment before its end."""

from __future__ import annotations

import logging
import sys
import time

from benchmarks.inside import peer

peer.plain_logging()
peer.set_up()
make = peer.span_maker() if peer.PEER != "none" else None
for number in range(100):
    if make is not None:
        make("op", {"number": number})
    if number % 10 == 0:
        logging.getLogger("bench.ending").info("number %s", number)
time.sleep(0.2)
sys.stdout.write(f"RESULT {time.monotonic()}\n")
sys.stdout.flush()

"""Work in the processes that multiprocessing starts, by every way to start them.

Arguments: the start method, and whether `init` is called by this ``module`` or in the ``target`` alone.
"""

from __future__ import annotations

import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor

from opentelemetry import metrics, trace

import otel_kit

METHOD, WHERE = sys.argv[1:]
if WHERE == "module":
    otel_kit.init(service="workers")


def work(number: int) -> int:
    """One span and one addition to a counter."""
    otel_kit.init(service="workers")
    with trace.get_tracer("workers").start_as_current_span("work"):
        metrics.get_meter("workers").create_counter("work.done").add(1)
    return number


def main() -> None:
    """Three processes, a pool and an executor: 11 pieces of work."""
    multiprocessing.set_start_method(METHOD)
    processes = [multiprocessing.Process(target=work, args=(number,)) for number in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    with multiprocessing.Pool(2) as pool:
        assert pool.map(work, range(4)) == [0, 1, 2, 3]
        pool.close()
        pool.join()
    with ProcessPoolExecutor(2) as executor:
        assert list(executor.map(work, range(4))) == [0, 1, 2, 3]


if __name__ == "__main__":
    main()

"""The service of the soak: ``python -m benchmarks.inside.soaking PORT``; it counts what it has recorded."""

from __future__ import annotations

import itertools
import logging
import multiprocessing
import sys
from typing import Any

import otel_kit

telemetry = otel_kit.init()

import uvicorn  # noqa: E402, after init as in a service
from fastapi import FastAPI  # noqa: E402
from opentelemetry import metrics, trace  # noqa: E402

app = FastAPI()
log = logging.getLogger("bench.soak")
tracer = trace.get_tracer("bench")
orders = metrics.get_meter("bench").create_counter("orders")
numbers = itertools.count()
made = {"spans": 0, "logs": 0}


@app.get("/items/{item_id}")
async def item(item_id: int) -> dict[str, int]:
    """Two spans, a log record, a metric whose attributes never repeat; now and then an error."""
    number = next(numbers)
    with tracer.start_as_current_span("read", attributes={"number": number, "key": f"key {number}"}):
        orders.add(1, {"customer": f"customer {number}"})
        log.info("item %s requested", item_id, extra={"number": number})
    made["spans"] += 2
    made["logs"] += 1
    if number % 50 == 0:
        try:
            raise LookupError(f"no item {item_id}")
        except LookupError:
            log.exception("item %s is missing", item_id)
            made["logs"] += 1
    return {"item_id": item_id}


@app.get("/fail")
async def fail() -> None:
    """A request that crashes."""
    made["spans"] += 1
    raise RuntimeError("a fault of the service")


@app.get("/fork")
def fork() -> dict[str, int | None]:
    """A child that records a span of its own; this blocks a thread of the pool, not the service."""
    child = multiprocessing.get_context("fork").Process(target=_in_child)
    child.start()
    child.join()
    made["spans"] += 2
    return {"exit": child.exitcode}


def _in_child() -> None:
    with tracer.start_as_current_span("in a child"):
        pass


@app.get("/healthz")
async def state() -> dict[str, int]:
    """What was made here, and what the library says of it; not recorded itself."""
    lifecycle: Any = telemetry._flush.__self__  # type: ignore[attr-defined]
    told = {tally.signal: tally.figures() for tally in lifecycle._tallies}
    return {
        "spans_made": made["spans"],
        "logs_made": made["logs"],
        "spans_dropped": told["traces"][1],
        "logs_dropped": told["logs"][1],
    }


uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_config=None, access_log=False)

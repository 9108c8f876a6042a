"""A service and a script that know nothing of telemetry but OpenTelemetry's API."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from fastapi import FastAPI
from opentelemetry import trace

app = FastAPI()


@app.get("/orders/{number}")
def order(number: int) -> int:
    """Answer with the process that answers."""
    logging.getLogger("shop").info("order %d", number)
    return os.getpid()


@app.get("/healthz")
def healthz() -> str:
    """Ready."""
    return "ok"


def work(name: str) -> int:
    """One span in whatever process this is."""
    with trace.get_tracer("plain").start_as_current_span(name):
        return os.getpid()


def main(mode: str) -> None:
    """Do what `mode` says."""
    work("main")
    if mode in ("fork", "spawn"):
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(mode)) as pool:
            assert pool.submit(work, "child").result() != os.getpid()
    elif mode == "exit":
        sys.exit(7)
    elif mode == "crash":
        raise RuntimeError("as it happens")
    elif mode == "handler":
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(9))
        sys.stdout.write("ready\n")
        time.sleep(60)
    elif mode == "wait":
        sys.stdout.write("ready\n")
        time.sleep(60)


if __name__ == "__main__":
    main(sys.argv[1])

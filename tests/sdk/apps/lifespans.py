"""A process that goes on after the lifespan of an application has ended, as a suite of tests does."""

from __future__ import annotations

import json
import logging
import time

from fastapi import FastAPI
from starlette.testclient import TestClient

import otel_kit
from tests.sdk.apps.say import say


def main() -> None:
    """Write lines after a lifespan, and tell how long that took."""
    otel_kit.init(service="lifespans", logs="otlp", log_level="INFO")
    log = logging.getLogger("after")
    begin = time.monotonic()
    with TestClient(FastAPI()):
        log.info("within")
    ended = time.monotonic()
    for number in range(100):
        log.info("line %d", number)
    lines = time.monotonic() - ended
    otel_kit.shutdown()
    say(json.dumps({"lines": lines, "all": time.monotonic() - begin}))


if __name__ == "__main__":
    main()

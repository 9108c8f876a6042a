"""One metric name and one set of attributes in two scopes, and twice in one scope."""

from __future__ import annotations

import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

import otel_kit

telemetry = otel_kit.init()

import httpx  # noqa: E402
import requests  # noqa: E402
from opentelemetry import metrics  # noqa: E402

TIMES: Final = int(os.environ["TIMES"])


class Nothing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Nothing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    meter = metrics.get_meter("shop")
    counters = [meter.create_counter("shop.orders", unit=unit) for unit in ("1", "{order}")]
    for _ in range(TIMES):
        httpx.get(url)
        requests.get(url, timeout=5)
        for counter in counters:
            counter.add(1)
    telemetry.force_flush()  # what is delivered now is in the metrics that are collected at the end

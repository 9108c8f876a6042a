"""``make demo``: one request through real parts, to a monitor that fires.

Starts the stand-in for Datadog, a real OpenTelemetry Collector, and the shop (two real services); applies
``monitors/`` and ``dashboards/``; sends real HTTP requests of which some fail; waits for the error-rate
monitor; then reads everything back **from the stand-in**, and exits with 0 only if all of it was seen.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from examples.proof import Proof
from tests import system
from tests.parts import ROOT
from tests.standin import StandIn

MONITOR = "shop-bff: HTTP error rate"
#: The client insists on keys; the stand-in takes any.
KEYS = {"DD_API_KEY": "demo", "DD_APP_KEY": "demo"}

GOOD = b'{"product": "tea", "quantity": 2, "total_cents": 900}'
#: Nobody can sell none of something: orders divides by zero, and the BFF answers 502.
FAULTY = b'{"product": "tea", "quantity": 0, "total_cents": 900}'


class DemoError(Exception):
    """The demo cannot go on; one sentence says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """The running parts."""

    stand_in: StandIn
    otlp_url: str
    bff_url: str


def main() -> int:
    """Run the demo; 0 if everything was seen."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, default=8080, help="where the stand-in listens")
    parser.add_argument("--keep", action="store_true", help="leave everything running until Ctrl-C")
    arguments = parser.parse_args()
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, _interrupt)
    try:
        with shop(arguments.port) as parts:
            proven = demonstrate(parts)
            if arguments.keep:
                keep_up(parts)
            elif proven:
                print(f"All of it was seen. To look around: make demo KEEP=1, then open {parts.stand_in.url}")
        return 0 if proven else 1
    except (DemoError, AssertionError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130


def _interrupt(_signum: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def step(text: str) -> None:
    """Progress, for the person who waits."""
    print(f"\033[1m==>\033[0m {text}" if sys.stdout.isatty() else f"==> {text}", flush=True)


@contextlib.contextmanager
def shop(port: int) -> Iterator[Shop]:
    """All parts, started in the order in which each needs the one before, stopped in reverse."""
    _check_free(port)
    if not system.BINARY.exists():
        raise DemoError("the collector is not built; run: make collector DISTRIBUTION=local")
    with contextlib.ExitStack() as stack:
        step("Stand-in for Datadog")
        stand_in = stack.enter_context(system.stand_in(port))
        step("Collector: the real binary, with the config rendered from collector/local.yaml")
        queue = stack.enter_context(tempfile.TemporaryDirectory(prefix="otel-kit-demo-"))
        collector = stack.enter_context(system.collector(stand_in.url, Path(queue)))
        step("Shop: orders (grpc.aio) and the BFF (FastAPI under uvicorn)")
        env = system.service_env(collector.http_url)
        _, target = stack.enter_context(system.orders(env))
        _, bff_url = stack.enter_context(system.bff(env, target))
        yield Shop(stand_in=stand_in, otlp_url=collector.http_url, bff_url=bff_url)


def demonstrate(parts: Shop) -> bool:
    """The story of the demo; whether all of it was seen."""
    step("Applying monitors/ and dashboards/")
    print(_indent(_otel_kit("apply", "--yes", env=KEYS | {"DD_HOST": parts.stand_in.url})))
    step("Sending requests, one in four of them faulty, until the error-rate monitor fires")
    sent = send_until(parts.bff_url, lambda: parts.stand_in.monitor(MONITOR)["overall_state"] == "Alert")
    step("Reading it back from the stand-in")
    proof = Proof(parts.stand_in)
    proof.counts(sent)
    proof.trace()
    proof.monitor(MONITOR)
    proof.losses()
    return proof.ok


def send_until(bff_url: str, done: Callable[[], bool], *, timeout: float = 90.0) -> int:
    """Send orders, every fourth faulty, until `done`; how many were answered as they should be."""
    sent = 0
    deadline = time.monotonic() + timeout
    while not (sent >= 40 and sent % 8 == 0 and done()):
        if time.monotonic() > deadline:
            raise DemoError(f"the monitor {MONITOR!r} did not fire within {timeout:.0f} s of requests")
        faulty = sent % 4 == 3
        status = _post(f"{bff_url}/orders", FAULTY if faulty else GOOD)
        expected = 502 if faulty else 201
        if status != expected:
            raise DemoError(f"the BFF answered {status} where {expected} was expected")
        sent += 1
        time.sleep(0.02)
    return sent


def keep_up(parts: Shop) -> None:
    """Leave everything running until Ctrl-C."""
    print(f"\nLook at it:         {parts.stand_in.url}")
    print(f"Try it:             curl {parts.bff_url}/orders/42")
    print(f"Send more from:     export OTEL_EXPORTER_OTLP_ENDPOINT={parts.otlp_url}")
    print(f"Plan and apply to:  export DD_HOST={parts.stand_in.url} DD_API_KEY=x DD_APP_KEY=x")
    print("Press Ctrl-C to stop.", flush=True)
    threading.Event().wait()


def _post(url: str, body: bytes) -> int:
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def _otel_kit(*args: str, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [*system.OTEL_KIT, *args],
        cwd=ROOT,
        env=os.environ | (env or {}),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise DemoError(f"`otel-kit {' '.join(args)}` failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def _indent(text: str) -> str:
    return re.sub(r"^(?=.)", "    ", text.rstrip(), flags=re.MULTILINE)


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise DemoError(f"port {port} is taken ({error}); choose another: make demo PORT=8081") from None


if __name__ == "__main__":
    sys.exit(main())

"""Servers of gRPC that are older than `init()`, and servers of grpc.aio with a limit of calls."""

from __future__ import annotations

import sys
from collections import Counter

from tests.parts import start
from tests.sdk.run import endpoint
from tests.sdk.sink import running_sink

Row = tuple[str, str, str | None]  # method, code, error.type
CRASH = (("OK", None), ("UNKNOWN", "ValueError"))


def test_each_call_is_recorded_once() -> None:
    with running_sink() as sink:
        with start([sys.executable, "-m", "tests.sdk.apps.rpc_older"], env=endpoint(sink)) as part:
            assert part.wait() == 0, part.output()
            lines = [line for line in part.output().splitlines() if not line.startswith("{")]
        spans = sink.seen.server_spans()
    assert lines == ["crowded RESOURCE_EXHAUSTED"] * 2 + ["crowded b'first'", "all calls made"]
    expected: Counter[Row] = Counter()
    for server in ("sync.Before", "sync.After", "aio.Before", "aio.After"):
        for method in ("Get", "Stub"):
            expected.update((f"{server}/{method}", *end) for end in CRASH)
    expected.update(("aio.After/Late", *end) for end in CRASH)
    for when in ("Before", "After"):
        expected[f"sync.{when}/Refused", "PERMISSION_DENIED", None] = 2
    expected["grpc", "UNIMPLEMENTED", "UNIMPLEMENTED"] = 8
    expected["aio.Crowded/Get", "OK", None] = 1
    expected["aio.Crowded/Get", "RESOURCE_EXHAUSTED", None] = 2
    found = (
        (span.name, span.attributes["rpc.response.status_code"], span.attributes.get("error.type"))
        for span in spans
    )
    assert Counter(found) == expected

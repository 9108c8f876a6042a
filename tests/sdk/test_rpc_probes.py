"""Health checks and reflection of gRPC leave nothing, with the packages that gRPC has for them."""

from __future__ import annotations

import sys

from tests.parts import start
from tests.sdk.run import endpoint
from tests.sdk.sink import running_sink

ANSWERS = ("check 1", "check NOT_FOUND", "watch 1", "lists 1", "gets b'it'", "check 1")


def test_only_calls_of_the_service_are_recorded() -> None:
    with running_sink() as sink:
        with start([sys.executable, "-m", "tests.sdk.apps.rpc_probes"], env=endpoint(sink)) as part:
            assert part.wait() == 0, part.output()
            lines = [line for line in part.output().splitlines() if not line.startswith("{")]
        seen = sink.seen
    assert lines == [f"{name} {answer}" for name in ("sync.Shop", "aio.Shop") for answer in ANSWERS]
    methods = ["aio.Shop/Get", "aio.Shop/Get", "sync.Shop/Get", "sync.Shop/Get"]
    assert sorted(span.name for span in seen.spans) == methods
    measured = {p.attributes["rpc.method"] for p in seen.points if p.name.startswith("rpc.")}
    assert measured == {"aio.Shop/Get", "sync.Shop/Get"}

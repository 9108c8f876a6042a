"""All that is measured, by name."""

from __future__ import annotations

from typing import Final

from benchmarks.cases import ends, operations, services
from benchmarks.cases.run import Case
from benchmarks.peers import BARE, KIT, NONE, OFF, RAW

__all__ = ["CASES"]

_WEB: Final = (NONE, RAW, "fastapi", "ddtrace", "ddtrace-full", "logfire", KIT)
_RPC: Final = tuple(name for name in _WEB if name != "fastapi")
_SENDERS: Final = (RAW, "ddtrace", "logfire", KIT)

CASES: Final[dict[str, Case]] = {
    "fastapi": Case(
        measure=services.fastapi,
        peers=(*_WEB, OFF, BARE),
        repeats=7,
        seconds=4.0,
        quick=(2, 1.5),
        quick_peers=(NONE, RAW, KIT, OFF),
    ),
    "fastapi-routes": Case(
        measure=services.fastapi_routes, peers=_WEB, repeats=5, seconds=4.0, quick=(2, 1.5)
    ),
    "grpc": Case(measure=services.grpc, peers=_RPC, repeats=7, seconds=4.0, quick=(2, 1.5)),
    "span": Case(measure=operations.span, peers=_RPC, repeats=5, seconds=2.0, quick=(2, 1.0)),
    "log": Case(measure=operations.log_record, peers=_RPC, repeats=5, seconds=2.0, quick=(2, 1.0)),
    "histogram": Case(
        measure=operations.histogram,
        peers=(RAW, "ddtrace-full", "logfire", KIT),
        repeats=5,
        seconds=1.0,
        quick=(2, 0.5),
        quick_peers=(RAW, KIT),
    ),
    "export": Case(
        measure=operations.export,
        peers=(RAW, "logfire", KIT, BARE),
        repeats=5,
        seconds=2.0,
        quick=(2, 1.0),
        quick_peers=(RAW, KIT, BARE),
    ),
    "rate": Case(
        measure=operations.rate,
        peers=_SENDERS,
        repeats=3,
        seconds=1.5,
        quick=(1, 1.0),
        quick_peers=(RAW, KIT),
    ),
    "startup": Case(measure=ends.startup, peers=_RPC, repeats=15, seconds=0.0, quick=(5, 0.0)),
    "ending": Case(
        measure=ends.ending, peers=_RPC, repeats=3, seconds=0.0, quick=(1, 0.0), quick_peers=(NONE, KIT)
    ),
    "sigterm": Case(
        measure=ends.sigterm, peers=_WEB, repeats=3, seconds=0.0, quick=(1, 0.0), quick_peers=(RAW, KIT)
    ),
}

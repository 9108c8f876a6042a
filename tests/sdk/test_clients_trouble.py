"""Calls that fail: each an ended CLIENT span with the status of an error, and its kind."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.parts import start
from tests.sdk.run import endpoint
from tests.sdk.sink import SpanSeen, running_sink
from tests.sdk.test_clients import CLIENT, servers, website

__all__ = ["servers"]

ERROR = 2
#: The last CLIENT span of each case: its name, its kind of error ("" where contrib tells none).
CASES = {
    "httpx missing": ("GET", "404"),
    "httpx refused": ("GET", "ConnectError"),
    "httpx timeout": ("GET", "ReadTimeout"),
    "httpx cancelled": ("GET", "CancelledError"),
    "requests missing": ("GET", "404"),
    "requests refused": ("GET", "ConnectionError"),
    "requests timeout": ("GET", "ReadTimeout"),
    "urllib3 missing": ("GET", "404"),
    "urllib3 refused": ("GET", "NewConnectionError"),
    "urllib3 timeout": ("GET", "ReadTimeoutError"),
    "aiohttp missing": ("GET", "404"),
    "aiohttp refused": ("GET", "ClientConnectorError"),
    "aiohttp timeout": ("GET", "TimeoutError"),
    "aiohttp cancelled": ("GET", "CancelledError"),
    "redis refused": ("GET", "ConnectionError"),
    "redis cancelled": ("BLPOP", "CancelledError"),
    "asyncpg refused": ("connect", "ConnectionRefusedError"),
    "psycopg refused": ("connect", "OperationalError"),
    "psycopg async refused": ("connect", "OperationalError"),
    "asyncpg wrong": ("SELECT", "InvalidTextRepresentationError"),
    "asyncpg cancelled": ("SELECT", "CancelledError"),
    "psycopg cancelled": ("SELECT", "CancelledError"),
    "sqlalchemy refused": ("connect", "OperationalError"),
    "sqlalchemy wrong": ("SELECT", ""),
    "sqlalchemy cancelled": ("SELECT", ""),
}


@pytest.mark.slow
@pytest.mark.parametrize("order", ["early", "late"])
def test_each_failure_is_an_ended_span(order: str, servers: dict[str, str], tmp_path: Path) -> None:
    with website([]) as url, running_sink() as sink:
        env = {**endpoint(sink), **servers, "WEB": url, "ORDER": order, "FILE": str(tmp_path / "a.sqlite")}
        with start([sys.executable, "-m", "tests.sdk.apps.trouble"], env=env) as part:
            assert part.wait(60) == 0, part.output()
            assert "all tried" in part.output()
            assert "fault" not in part.output()
    by_id = {span.span_id: span for span in sink.seen.spans}
    found: dict[str, list[SpanSeen]] = {name: [] for name in CASES}
    for span in sink.seen.spans:
        parent = by_id.get(span.parent_id)
        if span.kind == CLIENT and parent is not None and parent.name in found:
            found[parent.name].append(span)
    for name, (operation, why) in CASES.items():
        assert found[name], name
        last = max(found[name], key=lambda span: span.end)
        assert (name, last.name, last.attributes.get("error.type", "")) == (name, operation, why)
        assert last.status == ERROR, last
        assert last.attributes.get("server.address") or "sql" in name, last
        others = [(span.name, span.status == ERROR) for span in found[name] if span is not last]
        assert others in ([], [("connect", False)]), others
    for span in sink.seen.spans:
        statement = [
            span.name,
            span.attributes.get("db.query.text"),
            span.attributes.get("db.operation.name"),
        ]
        assert "hunter2" not in json.dumps(statement), span
        assert "/" not in span.name, span

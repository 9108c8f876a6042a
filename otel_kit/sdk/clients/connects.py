"""Records connections to PostgreSQL that fail: contrib packages record the statements alone.

One that succeeds is no span; what it costs is seen in the span around it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from importlib import import_module
from typing import Any, Final

from otel_kit.sdk.notes import fault
from otel_kit.sdk.patching import replace

__all__ = ["note_failed_connects"]

#: Of what the functions here tell of a server.
_NAMES: Final = ("server.address", "server.port", "db.namespace")


def note_failed_connects(driver: str) -> None:
    """Those of ``asyncpg`` or ``psycopg``."""
    if driver == "asyncpg":
        replace(import_module("asyncpg.connect_utils"), "_connect_addr", _asyncpg)
    else:
        replace(import_module("psycopg.generators"), "connect", _psycopg)


def _asyncpg(original: Callable[..., Any]) -> Callable[..., Any]:
    async def connect(*args: Any, **options: Any) -> Any:
        began = time.time_ns()
        try:
            return await original(*args, **options)
        except BaseException as error:
            _note(error, began, lambda: _asyncpg_server(options))
            raise

    return connect


def _psycopg(original: Callable[..., Any]) -> Callable[..., Any]:
    def connect(conninfo: str, *args: Any, **options: Any) -> Generator[Any, Any, Any]:
        began = time.time_ns()
        try:
            return (yield from original(conninfo, *args, **options))
        except BaseException as error:
            _note(error, began, lambda: _psycopg_server(conninfo))
            raise

    return connect


def _asyncpg_server(options: dict[str, Any]) -> tuple[Any, Any, Any]:
    address = options["addr"]
    host, port = (address, None) if isinstance(address, str) else address
    return host, port, options["params"].database


def _psycopg_server(conninfo: str) -> tuple[Any, Any, Any]:
    from psycopg.conninfo import conninfo_to_dict

    found = conninfo_to_dict(conninfo)
    return found.get("host"), found.get("port"), found.get("dbname")


def _note(error: BaseException, began: int, server: Callable[[], tuple[Any, Any, Any]]) -> None:
    try:
        from opentelemetry import trace
        from opentelemetry.instrumentation.utils import is_instrumentation_enabled

        from otel_kit.sdk.spans import failed, record_once

        if isinstance(error, GeneratorExit) or not is_instrumentation_enabled():
            return
        attributes = {name: value for name, value in zip(_NAMES, server(), strict=True) if value}
        if "server.port" in attributes:
            attributes["server.port"] = int(attributes["server.port"])
        span = trace.get_tracer("otel_kit.clients").start_span(
            "connect",
            kind=trace.SpanKind.CLIENT,
            attributes={
                "db.system.name": "postgresql",
                "error.type": type(error).__qualname__,
                **attributes,
            },
            start_time=began,
        )
        record_once(span, error)
        span.set_status(failed(error))
        span.end()
    except Exception:
        fault("a connection that failed")

"""Calls of clients that fail, each within a span of its own; ``ORDER=late`` for clients older than init."""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import Awaitable, Callable
from typing import Any

import otel_kit
from tests.sdk.apps.say import say

WEB, REDIS, POSTGRES, FILE = (os.environ[name] for name in ("WEB", "REDIS", "POSTGRES", "FILE"))
LATE = os.environ.get("ORDER") == "late"
if not LATE:
    otel_kit.init(service="trouble")

import aiohttp  # noqa: E402
import httpx  # noqa: E402
import psycopg  # noqa: E402
import redis.asyncio  # noqa: E402
import requests  # noqa: E402
import sqlalchemy  # noqa: E402
import urllib3  # noqa: E402
from opentelemetry import trace  # noqa: E402
from sqlalchemy.ext.asyncio import create_async_engine  # noqa: E402

asyncpg: Any = importlib.import_module("asyncpg")
SLOW, REFUSED, MISSING = f"{WEB}/slow", "http://127.0.0.1:9/refused", f"{WEB}/missing"
NOWHERE = "postgresql://u:hunter2@127.0.0.1:9/db"
AWHILE = "SELECT pg_sleep(5)"


async def soon_cancelled(call: Awaitable[Any]) -> None:
    """Cancel it once it waits for its answer."""
    task = asyncio.ensure_future(call)
    await asyncio.sleep(0.5)
    task.cancel()
    await task


async def main() -> None:
    session, client = aiohttp.ClientSession(), httpx.AsyncClient(timeout=0.3)
    store: Any = redis.asyncio.Redis.from_url(REDIS)
    engine = sqlalchemy.create_engine(f"sqlite:///{FILE}")
    database = create_async_engine(POSTGRES.replace("postgresql:", "postgresql+asyncpg:"))
    nowhere = sqlalchemy.create_engine(NOWHERE.replace("postgresql:", "postgresql+psycopg:"))
    pool: Any = urllib3.PoolManager(retries=False)
    connection: Any = await asyncpg.connect(POSTGRES)
    if LATE:
        otel_kit.init(service="trouble")
    other: Any = await psycopg.AsyncConnection.connect(POSTGRES)  # contrib does not reach older ones

    async def fetch(url: str, seconds: float) -> None:
        async with session.get(url, timeout=aiohttp.ClientTimeout(seconds)) as answer:
            await answer.read()

    async def statement(text: str) -> None:
        async with database.connect() as bound:
            await bound.execute(sqlalchemy.text(text))

    def select(text: str) -> None:
        with engine.connect() as bound:
            bound.execute(sqlalchemy.text(text))

    cases: dict[str, Callable[[], Any]] = {
        "httpx missing": lambda: httpx.get(MISSING),
        "httpx refused": lambda: httpx.get(REFUSED),
        "httpx timeout": lambda: client.get(SLOW),
        "httpx cancelled": lambda: soon_cancelled(client.get(SLOW, timeout=30)),
        "requests missing": lambda: requests.get(MISSING, timeout=30),
        "requests refused": lambda: requests.get(REFUSED, timeout=30),
        "requests timeout": lambda: requests.get(SLOW, timeout=0.3),
        "urllib3 missing": lambda: pool.request("GET", MISSING),
        "urllib3 refused": lambda: pool.request("GET", REFUSED),
        "urllib3 timeout": lambda: pool.request("GET", SLOW, timeout=0.3),
        "aiohttp missing": lambda: fetch(MISSING, 30),
        "aiohttp refused": lambda: fetch(REFUSED, 30),
        "aiohttp timeout": lambda: fetch(SLOW, 0.3),
        "aiohttp cancelled": lambda: soon_cancelled(fetch(SLOW, 30)),
        "redis refused": lambda: redis.asyncio.Redis(port=9).get("hunter2"),
        "redis cancelled": lambda: soon_cancelled(store.blpop("nothing", 5)),
        "asyncpg refused": lambda: asyncpg.connect(NOWHERE),
        "psycopg refused": lambda: psycopg.connect(NOWHERE),
        "psycopg async refused": lambda: psycopg.AsyncConnection.connect(NOWHERE),
        "asyncpg wrong": lambda: connection.fetch("SELECT'hunter2'::integer"),
        "asyncpg cancelled": lambda: soon_cancelled(connection.fetch(AWHILE)),
        "psycopg cancelled": lambda: soon_cancelled(other.execute(AWHILE)),
        "sqlalchemy refused": nowhere.connect,
        "sqlalchemy wrong": lambda: select("SELECT'hunter2' FROM nowhere"),
        "sqlalchemy cancelled": lambda: soon_cancelled(statement(AWHILE)),
    }
    for name, case in cases.items():
        with trace.get_tracer("app").start_as_current_span(name):
            try:
                result = case()
                if asyncio.iscoroutine(result):
                    await result
            except (Exception, asyncio.CancelledError) as error:
                say(f"{name}: {type(error).__name__}")
    await asyncio.gather(session.close(), client.aclose())


if __name__ == "__main__":
    asyncio.run(main())
    say("all tried")

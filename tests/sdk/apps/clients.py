"""Uses each client once. ``ORDER=late`` begins telemetry when all is imported and made, else before."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import sys
from typing import Any

import otel_kit
from otel_kit.sdk.clients import report
from tests.sdk.apps.say import say

WEB, REDIS, POSTGRES = (os.environ.get(name, "") for name in ("WEB", "REDIS", "POSTGRES"))
NAMES = os.environ["CLIENTS"].split(",")
LATE = os.environ.get("ORDER") == "late"

if not LATE:
    otel_kit.init(service="clients")
    assert not {"requests", "httpx", "redis", "sqlalchemy", "aiohttp", "psycopg"} & set(sys.modules)

import sqlalchemy  # noqa: E402
from sqlalchemy import create_engine  # noqa: E402

engine = create_engine("sqlite://")
if LATE:
    for module in ("aiohttp", "asyncpg", "httpx", "psycopg", "redis", "requests", "urllib3"):
        importlib.import_module(module)
    otel_kit.init(service="clients")


def use_httpx() -> None:
    """With a password in the URL, and a token behind it."""
    import httpx

    httpx.get(f"{WEB}/httpx?token=hunter2")
    with contextlib.suppress(httpx.ConnectError):
        httpx.get("http://127.0.0.1:9/refused")


def use_requests() -> None:
    """By requests over urllib3: one span."""
    import requests

    requests.get(f"{WEB}/requests?token=hunter2", timeout=5)


def use_urllib3() -> None:
    """Without anything above it."""
    import urllib3

    urllib3.PoolManager().request("GET", f"{WEB}/urllib3?token=hunter2")


def use_aiohttp() -> None:
    """A session made after init."""
    import aiohttp

    async def get() -> None:
        async with aiohttp.ClientSession() as session, session.get(f"{WEB}/aiohttp?token=hunter2") as answer:
            await answer.read()

    asyncio.run(get())


def use_redis() -> None:
    """A command, and one that fails."""
    redis: Any = importlib.import_module("redis")
    client = redis.Redis.from_url(REDIS)
    client.set("hunter2", "hunter2")
    with contextlib.suppress(redis.ResponseError):
        client.execute_command("LPUSH", "hunter2", "x")


def use_sqlalchemy() -> None:
    """An engine made before, and one made now."""
    if POSTGRES:
        address = POSTGRES.replace("postgresql:", "postgresql+psycopg:")
        with sqlalchemy.create_engine(address).connect() as connection:
            connection.execute(sqlalchemy.text("SELECT 'hunter2', 8"))
    for made in (engine, sqlalchemy.create_engine("sqlite://")):
        with made.connect() as connection:
            connection.execute(sqlalchemy.text("SELECT 'hunter2', 7"))
            with contextlib.suppress(sqlalchemy.exc.OperationalError):
                connection.execute(sqlalchemy.text("SELECT b FROM nowhere WHERE a = 'hunter2'"))


def use_psycopg() -> None:
    """By the module's function."""
    import psycopg

    with psycopg.connect(POSTGRES) as connection:
        connection.execute("SELECT 'hunter2', %s", ("hunter2",))


def use_asyncpg() -> None:
    """One query."""
    asyncpg: Any = importlib.import_module("asyncpg")

    async def query() -> None:
        connection: Any = await asyncpg.connect(POSTGRES)
        await connection.fetch("SELECT 'hunter2', $1::text", "hunter2")
        await connection.close()

    asyncio.run(query())


if __name__ == "__main__":
    for name in NAMES:
        globals()[f"use_{name}"]()
    for state in report():
        told = (state.library, state.state, state.installed, state.contrib, state.why)
        say("state", *told)
    say("all used")

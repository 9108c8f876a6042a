"""A small monitor, and how to create it."""

from __future__ import annotations

from typing import Any

from tests.dev.process import Dev


def body(name: str, **more: Any) -> dict[str, Any]:
    query = "sum(last_5m):sum:requests{service:shop} by {route}.as_count() > 10"
    return {
        "type": "query alert",
        "name": name,
        "query": query,
        "message": "m @team-x",
        "options": {},
        **more,
    }


def created(dev: Dev, name: str, **more: Any) -> dict[str, Any]:
    status, found, _ = dev.ask("POST", "/api/v1/monitor", body(name, **more))
    assert status == 200, found
    return dict(found)

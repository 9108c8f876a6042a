"""The HTTP service that is measured: ``python -m benchmarks.inside.web PORT [ROUTES]``."""

from __future__ import annotations

import logging
import sys

from benchmarks.inside import peer

peer.plain_logging()
peer.set_up()

import uvicorn  # noqa: E402, after the peer, whatever it patches
from fastapi import FastAPI  # noqa: E402

PORT = int(sys.argv[1])
ROUTES = int(sys.argv[2]) if len(sys.argv) > 2 else 0

app = FastAPI(**peer.fastapi_options())
log = logging.getLogger("bench.web")

for number in range(ROUTES):  # what a large service has in front of the route in question

    @app.get(f"/resource{number}/{{key}}")
    async def other(key: str) -> dict[str, str]:
        """Never called."""
        return {"key": key}


@app.get("/items/{item_id}")
async def item(item_id: int) -> dict[str, int]:
    """A little work, one log line."""
    total = sum(i * i for i in range(50))
    log.info("item %s requested", item_id)
    return {"item_id": item_id, "total": total}


peer.instrument_fastapi(app)
uvicorn.run(
    app,
    host="127.0.0.1",
    port=PORT,
    loop="uvloop",
    http="httptools",
    log_config=None,
    log_level="warning",
    access_log=False,
)

"""A WSGI application, which nothing instruments; its logs are taken all the same."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

import otel_kit

otel_kit.init(service="wsgi")


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer with the status that the path ends with, else 200."""
    path = str(environ["PATH_INFO"])
    logging.getLogger("shop").info("asked for %s", path)
    status = path.rpartition("/")[2]
    start_response(f"{status if status.isdigit() else 200} As asked", [])
    return [b"ok"]

"""Leaves out the access lines of servers for health routes that are well: probes come every few seconds.

What fails stays, and files of the service that such lines go to get them still.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from typing import Any, Final
from urllib.parse import unquote

from otel_kit.sdk.logs.entry import SEEN

__all__ = ["AccessLines", "under_root"]

_LOGGERS: Final = ("uvicorn.access", "gunicorn.access", "hypercorn.access")
_FAILED: Final = 400
#: Root paths under which health routes were asked for: uvicorn has them in its lines, too.
_roots: Final[set[str]] = set()
_MOST_ROOTS: Final = 8


def under_root(root: str) -> None:
    """Note the root path of a request for a health route, as a server was told it."""
    if len(_roots) < _MOST_ROOTS:
        _roots.add(root)


class AccessLines(logging.Filter):
    """A filter that lets all through, and has us overlook what need not be recorded.

    Args:
        routes: exact paths.
    """

    def __init__(self, routes: Collection[str]) -> None:
        super().__init__()
        self._routes = routes

    def watch(self) -> None:
        """Filters of loggers stay when logging is configured anew."""
        for name in _LOGGERS:
            logging.getLogger(name).addFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """True."""
        try:
            path, status = _request(record.args)
            if int(status) < _FAILED and self._is_health(unquote(str(path).partition("?")[0])):
                record.__dict__[SEEN] = True
        except (TypeError, ValueError, KeyError):  # no access line, or one of a logger class of the service
            pass
        return True

    def _is_health(self, path: str) -> bool:
        return path in self._routes or any(
            path.startswith(root) and path[len(root) :] in self._routes for root in _roots
        )


def _request(args: Any) -> tuple[Any, Any]:
    """Path and status; of gunicorn and hypercorn by their letters, of uvicorn by their places."""
    if isinstance(args, Mapping):
        return args["U"], args["s"]
    _client, _method, path, _version, status = args
    return path, status

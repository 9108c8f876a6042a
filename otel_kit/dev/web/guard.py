"""Only this machine's own pages and programs get in: no DNS rebinding, and safe headers for the page.

A web page anywhere can make a browser send requests to 127.0.0.1; it cannot choose their Host and Origin.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Guard"]

_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Guard:
    """ASGI middleware: 403 for a foreign Host or Origin, and security headers on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check, then pass on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        fault = _fault(Headers(scope=scope))
        if fault:
            await JSONResponse({"errors": [fault]}, status_code=403)(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _fault(headers: Headers) -> str | None:
    host, origin = headers.get("host", ""), headers.get("origin")
    if _hostname(f"//{host}") not in _LOOPBACK:
        return "this server answers requests to 127.0.0.1 and localhost only"
    if origin is not None and origin != f"http://{host}":
        return "this server answers no requests from other web pages"
    return None


def _hostname(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None

"""A proxy in front of the stand-in: it sees every request, and can lose, refuse or garble one."""

from __future__ import annotations

import contextlib
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["Fault", "Proxy", "proxy"]

Answer = tuple[int, Mapping[str, str], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What happens to the next request that matches.

    Attributes:
        method, path: of the request; a path matches what starts with it.
        status: answered instead; 0 closes the connection without an answer.
        forward: whether the stand-in still gets the request: its answer is lost on the way back.
        hold: whether the answer waits for `Proxy.release`.
    """

    method: str
    path: str
    status: int
    body: bytes = b'{"errors": ["injected"]}'
    headers: Mapping[str, str] = field(default_factory=dict)
    forward: bool = False
    hold: bool = False


@dataclass(slots=True)
class Proxy:
    """Requests seen so far, and the faults to come, each used once."""

    target: str
    url: str = ""
    requests: list[tuple[str, str]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    release: threading.Event = field(default_factory=threading.Event)

    def writes(self) -> list[tuple[str, str]]:
        """What could have changed something."""
        return [(m, p) for m, p in self.requests if m != "GET" and not p.endswith("/validate")]

    def answer(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """What the client gets."""
        with self.lock:
            self.requests.append((method, path.partition("?")[0]))
            self.headers.append(headers)
            fault = next((f for f in self.faults if f.method == method and path.startswith(f.path)), None)
            if fault:
                self.faults.remove(fault)
        if fault and fault.hold:
            self.release.wait(30)
        if fault is None or fault.forward:
            forwarded = self._forward(method, path, body, headers)
            if fault is None:
                return forwarded
        return fault.status, fault.headers, fault.body

    def _forward(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        kept = {
            k: v for k, v in headers.items() if k.lower() not in {"host", "accept-encoding", "connection"}
        }
        request = urllib.request.Request(
            f"{self.target}{path}", data=body or None, headers=kept, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, _plain(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            return error.code, _plain(error.headers), error.read()


def _plain(headers: Any) -> dict[str, str]:
    return {k: v for k, v in headers.items() if k.lower().startswith("x-") or k.lower() == "content-type"}


@contextlib.contextmanager
def proxy(target: str) -> Iterator[Proxy]:
    """Run one on a port of its own."""
    seen = Proxy(target)

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, headers, answer = seen.answer(self.command, self.path, body, dict(self.headers.items()))
            self.close_connection = True
            if not status:
                return
            self.send_response(status)
            for key, value in {**headers, "Content-Length": str(len(answer))}.items():
                self.send_header(key, value)
            self.end_headers()
            with contextlib.suppress(BrokenPipeError):
                self.wfile.write(answer)

        do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815 - the names http.server looks for

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        seen.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, daemon=True, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield seen
        finally:
            seen.release.set()
            server.shutdown()
            thread.join()

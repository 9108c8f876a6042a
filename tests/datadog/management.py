"""The management API as a person uses it in the page: by hand, without our code."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

__all__ = ["Management"]


@dataclass(frozen=True, slots=True)
class Management:
    """Datadog, or the stand-in, at `url`."""

    url: str

    def call(self, method: str, path: str, body: Json | None = None) -> Any:
        """One request; the JSON of its answer."""
        request = urllib.request.Request(
            f"{self.url}/api/v1/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"DD-API-KEY": "hand", "DD-APPLICATION-KEY": "hand", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def monitors(self) -> list[Json]:
        """All monitors."""
        return list(self.call("GET", "monitor"))

    def monitor(self, name: str) -> Json:
        """The one monitor of this name."""
        (found,) = [m for m in self.monitors() if m["name"] == name]
        return found

    def dashboards(self) -> list[Json]:
        """All dashboards, whole."""
        return [self.call("GET", f"dashboard/{d['id']}") for d in self.call("GET", "dashboard")["dashboards"]]

    def clear(self) -> None:
        """Delete everything."""
        for monitor in self.monitors():
            self.call("DELETE", f"monitor/{monitor['id']}")
        for dashboard in self.call("GET", "dashboard")["dashboards"]:
            self.call("DELETE", f"dashboard/{dashboard['id']}")

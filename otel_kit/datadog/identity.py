"""Our mark on an object in Datadog: whose id it carries. There is no state file.

A monitor carries the tag ``otel_kit:ID``: a tag, unlike a line in the message, is not sent with every page. A
dashboard takes no tags but ``team:``, so there it is a line at the end of the description.
"""

from __future__ import annotations

import re
from typing import Final

from otel_kit.datadog.model import Definition, Json, Kind, Live

__all__ = ["ID", "TAG_KEY", "live_object", "marked_body", "read_mark"]

ID: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
TAG_KEY: Final = "otel_kit"
_TAG: Final = re.compile(rf"{TAG_KEY}:({ID.pattern})")
# Read anywhere in the description: people write below our line.
_LINE: Final = re.compile(rf"\[{TAG_KEY}:({ID.pattern})\]")


def marked_body(definition: Definition) -> Json:
    """The body with our mark on it: what is compared and sent."""
    body = dict(definition.body)
    if definition.kind == "monitor":
        body["tags"] = [*(body.get("tags") or []), f"{TAG_KEY}:{definition.id}"]
        return body
    line = f"Managed as code; edits made here are overwritten. [{TAG_KEY}:{definition.id}]"
    text = str(body.get("description") or "").rstrip()
    body["description"] = f"{text}\n\n{line}" if text else line
    return body


def read_mark(kind: Kind, body: Json) -> str | None:
    """Our id on a live object, or None where it carries none."""
    if kind == "dashboard":
        found = _LINE.search(body.get("description") or "")
        return found[1] if found else None
    matches = (_TAG.fullmatch(str(tag)) for tag in body.get("tags") or [])
    return next((match[1] for match in matches if match), None)


def live_object(kind: Kind, body: Json) -> Live:
    """A `Live` from the API's JSON."""
    name = body.get("name" if kind == "monitor" else "title")
    return Live(kind=kind, id=str(body["id"]), name=str(name), mark=read_mark(kind, body), body=body)

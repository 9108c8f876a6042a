"""A small dashboard."""

from __future__ import annotations

from typing import Any


def dashboard(title: str, **more: Any) -> dict[str, Any]:
    note = {"definition": {"type": "note", "content": "x"}}
    group = {"definition": {"type": "group", "layout_type": "ordered", "title": "g", "widgets": [note]}}
    return {"title": title, "layout_type": "ordered", "widgets": [note, group], **more}

"""A plan as people read it: lines of text, with a colour for each; printing is the command's job."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from difflib import SequenceMatcher
from typing import Any, Final, Literal, TypeAlias

from otel_kit.datadog.diff import Absent, Edit, Path
from otel_kit.datadog.model import KINDS, Kind, Live
from otel_kit.datadog.plan import Action, Plan

__all__ = ["Paint", "Tone", "applied_line", "plan_lines", "summary"]

Tone: TypeAlias = Literal["create", "update", "remove", "faint", "title"]
Paint: TypeAlias = Callable[[str, Tone], str]

_LONGEST: Final = 400
_TITLES: Final[dict[Kind, str]] = {"monitor": "Monitors", "dashboard": "Dashboards"}


def plan_lines(plan: Plan, paint: Paint) -> Iterator[str]:
    """The whole plan, ending with its counts."""
    for kind in KINDS:
        actions = [action for action in plan.actions if action.definition.kind == kind]
        if actions:
            yield paint(_TITLES[kind], "title")
            for action in actions:
                yield from _action(action, paint)
            yield ""
    if plan.orphans:
        yield paint("In Datadog with our mark, but not in these folders (left alone)", "title")
        yield from (f"  ? {_orphan(orphan)}" for orphan in plan.orphans)
        yield ""
    yield summary(plan)


def summary(plan: Plan) -> str:
    """Its counts: ``Plan: 6 to create, 1 to update, 3 unchanged.``, or that there are no changes."""
    if not plan.actions:
        return f"No changes: all {plan.unchanged} objects are in Datadog as the files want them."
    create, update = plan.count("create"), plan.count("update")
    return f"Plan: {create} to create, {update} to update, {plan.unchanged} unchanged."


def applied_line(action: Action, live: Live, paint: Paint) -> str:
    """``+ created monitor 'http-errors-shop-bff' (123)``."""
    verb = "created" if action.verb == "create" else "updated"
    return paint(f"{_SIGNS[action.verb]} {verb} {action.label}", action.verb) + f" ({live.id})"


_SIGNS: Final = {"create": "+", "update": "~"}


def _action(action: Action, paint: Paint) -> Iterator[str]:
    definition = action.definition
    head = paint(f"  {_SIGNS[action.verb]} {definition.id}", action.verb)
    yield f"{head}  {definition.name}  {paint(f'({definition.where()})', 'faint')}"
    if action.verb == "create":
        yield f"      {_gist(action)}"
    if action.twin:
        told = f"an unmanaged monitor {action.twin.id} has the same name and query, and stays beside it"
        yield "      " + paint(f"! {told}", "update")
    for edit in action.edits:
        yield from _edit(edit, paint)


def _gist(action: Action) -> str:
    if action.definition.kind == "monitor":
        return f"{action.body['type']}: {action.body['query']}"
    return f"{action.body['layout_type']} layout, widgets: {_widget_count(action.body['widgets'])}"


def _widget_count(widgets: list[Any]) -> int:
    return sum(1 + _widget_count(w["definition"].get("widgets") or []) for w in widgets)


def _orphan(live: Live) -> str:
    return f"{live.kind} {live.id} '{live.name}' ({live.mark})"


def _edit(edit: Edit, paint: Paint) -> Iterator[str]:
    path = path_text(edit.path)
    if isinstance(edit.old, Absent):
        yield "      " + paint(f"+ {path}: {_value(edit.new)}", "create")
    elif isinstance(edit.new, Absent):
        yield "      " + paint(f"- {path}: {_value(edit.old)}", "remove")
    elif _is_text_block(edit.old) or _is_text_block(edit.new):
        yield f"      {path}:"
        yield from _changed_lines(str(edit.old or ""), str(edit.new or ""), paint)
    else:
        yield f"      {path}: {_value(edit.old)} -> {_value(edit.new)}"


def path_text(path: Path) -> str:
    """``options.thresholds.critical``, ``widgets[Requests].definition.requests[0].q``."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += step if step.startswith("[") or not text else f".{step}"
    return text


def _value(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, default=sorted)
    more = len(text) - _LONGEST
    return text if more <= 0 else f"{text[:_LONGEST]}... ({more} more characters)"


def _is_text_block(value: Any) -> bool:
    return isinstance(value, str) and "\n" in value


def _changed_lines(old: str, new: str, paint: Paint) -> Iterator[str]:
    before, after = old.splitlines(), new.splitlines()
    for op, i1, i2, j1, j2 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if op != "equal":
            yield from ("        " + paint(f"- {line}", "remove") for line in before[i1:i2])
            yield from ("        " + paint(f"+ {line}", "create") for line in after[j1:j2])

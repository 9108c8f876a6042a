"""What an apply would do: pure, from the definitions and from what Datadog has under our marks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from otel_kit.datadog.diff import Edit, canonical
from otel_kit.datadog.identity import TAG_KEY
from otel_kit.datadog.model import KINDS, Definition, Json, Kind, Live
from otel_kit.datadog.normalise import body_for_create, body_for_update, edits
from otel_kit.datadog.vocabulary import METRIC_TYPES
from otel_kit.errors import InputError

__all__ = ["Action", "Plan", "make_plan", "wanted_marks"]

#: Keys that Datadog refuses to change on an object that exists.
_FIXED = {"monitor": "type", "dashboard": "layout_type"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One object to create or to update.

    Attributes:
        edits: what differs; empty for a create.
        body: what is sent.
        live: the object to update; None for a create.
        twin: an object without our mark that looks like the one to create.
    """

    verb: Literal["create", "update"]
    definition: Definition
    body: Json
    edits: tuple[Edit, ...] = ()
    live: Live | None = None
    twin: Live | None = None

    @property
    def label(self) -> str:
        """``monitor 'http-errors-shop-bff'``."""
        return f"{self.definition.kind} '{self.definition.id}'"

    @property
    def key(self) -> tuple[Kind, str]:
        """Which definition it carries out."""
        return self.definition.kind, self.definition.id

    def is_still(self, other: Action | None) -> bool:
        """Would `other`, of a plan made later, do the same to the same object?"""
        if other is None or (self.live and self.live.id) != (other.live and other.live.id):
            return False
        return self.edits == other.edits and self.body == other.body


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that an apply would do, in its order.

    Attributes:
        orphans: objects with our mark that none of the files defines. They are told of and left alone; they
            do not count as changes, because no apply would end them.
        unchanged: how many objects are as the files want them.
    """

    actions: tuple[Action, ...]
    orphans: tuple[Live, ...]
    unchanged: int

    def count(self, verb: str) -> int:
        """How many objects to ``create`` or to ``update``."""
        return sum(action.verb == verb for action in self.actions)


def wanted_marks(definitions: Iterable[Definition], kind: Kind) -> frozenset[str]:
    """The ids that the files define for one kind of object."""
    return frozenset(d.id for d in definitions if d.kind == kind)


def make_plan(definitions: Sequence[Definition], live: Iterable[Live]) -> Plan:
    """Compare; the order is monitors before dashboards, then by id.

    Args:
        definitions: what the files want.
        live: what Datadog has; whole bodies for all with a mark that `definitions` name.

    Raises:
        InputError: two live objects carry one mark, or an update would need what Datadog does not allow.
    """
    wanted = {(d.kind, d.id) for d in definitions}
    found = list(live)
    ours = [item for item in found if item.mark is not None]
    unmarked = {_looks(item.body): item for item in found if item.kind == "monitor" and item.mark is None}
    marked = _by_mark(item for item in ours if (item.kind, item.mark) in wanted)
    actions: list[Action] = []
    for definition in sorted(definitions, key=lambda d: (KINDS.index(d.kind), d.id)):
        existing = marked.get((definition.kind, definition.id))
        action = _update(definition, existing) if existing else _create(definition, unmarked)
        if action is not None:
            actions.append(action)
    orphans = sorted(
        (item for item in ours if (item.kind, item.mark) not in wanted),
        key=lambda o: (KINDS.index(o.kind), o.mark or "", o.id),
    )
    return Plan(actions=tuple(actions), orphans=tuple(orphans), unchanged=len(definitions) - len(actions))


def _by_mark(live: Iterable[Live]) -> dict[tuple[Kind, str], Live]:
    groups: dict[tuple[Kind, str], list[Live]] = defaultdict(list)
    for item in live:
        groups[item.kind, item.mark or ""].append(item)
    copies = sorted((key, items) for key, items in groups.items() if len(items) > 1)
    if copies:
        raise InputError(
            "; ".join(_copied(kind, mark, items) for (kind, mark), items in copies),
            fix="remove the mark from the copy, or the copy itself, in Datadog",
        )
    return {key: items[0] for key, items in groups.items()}


def _copied(kind: Kind, mark: str, items: Iterable[Live]) -> str:
    names = " and ".join(f"{item.id} '{item.name}'" for item in sorted(items, key=lambda i: i.id))
    return f"two or more {kind}s in Datadog carry the mark {TAG_KEY}:{mark}: {names}"


def _create(definition: Definition, unmarked: Mapping[str, Live]) -> Action:
    body = body_for_create(definition)
    twin = unmarked.get(_looks(body)) if definition.kind == "monitor" else None
    return Action(verb="create", definition=definition, body=body, twin=twin)


def _looks(body: Json) -> str:
    monitor_type = "query alert" if body.get("type") in METRIC_TYPES else body.get("type")
    return canonical([body.get("name"), body.get("query"), monitor_type])


def _update(definition: Definition, live: Live) -> Action | None:
    found = tuple(edits(definition, live))
    if not found:
        return None
    _refuse_fixed(definition, live)
    body = body_for_update(definition, live)
    return Action(verb="update", definition=definition, body=body, edits=found, live=live)


def _refuse_fixed(definition: Definition, live: Live) -> None:
    key = _FIXED[definition.kind]
    old, new = live.body.get(key), definition.body.get(key)
    if old == new or {old, new} <= METRIC_TYPES:
        return
    raise InputError(
        f"the {key} of {definition.kind} {live.id} '{live.name}' cannot change from '{old}' to '{new}'",
        where=definition.where(key),
        fix="give the definition another id, and delete the old object in Datadog",
    )

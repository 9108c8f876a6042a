"""The values that pass between loading, comparing and applying."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from otel_kit.yaml_tree import Node

__all__ = ["KINDS", "Definition", "Json", "Kind", "Live"]

Json: TypeAlias = dict[str, Any]
Kind = Literal["monitor", "dashboard"]

#: In the order they are planned and applied: a dashboard may show a monitor, never the other way round.
KINDS: tuple[Kind, ...] = ("monitor", "dashboard")


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """An object as the files want it.

    Attributes:
        id: our own, stable name for it; unique within its kind.
        body: what Datadog's API takes, complete, without our mark.
        source: the YAML it came from, with interpolated values in their places.
    """

    kind: Kind
    id: str
    body: Json
    source: Node

    @property
    def name(self) -> str:
        """What people see in Datadog."""
        return str(self.body["name" if self.kind == "monitor" else "title"])

    def where(self, *path: str | int) -> str:
        """``file:line`` of a part of the definition; of the definition itself without a path."""
        return self.source.at(*path).where


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """An object as Datadog has it.

    Attributes:
        id: Datadog's: a number for a monitor, ``abc-def-ghi`` for a dashboard, both as text.
        mark: our id on the object; None for an object that is not ours.
        body: the whole object, or what the listing told of it.
    """

    kind: Kind
    id: str
    name: str
    mark: str | None
    body: Json

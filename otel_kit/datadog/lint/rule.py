"""What a lint rule is, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from otel_kit.datadog.model import Definition

__all__ = ["Finding", "Problem", "Rule"]

#: Path in the definition, and a sentence.
Problem: TypeAlias = "tuple[tuple[str | int, ...], str]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to mend: `where` is ``file:line``, `text` a sentence that ends with the rule's id."""

    rule: str
    where: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A check of one definition; `about` says what it asks for."""

    id: str
    about: str
    check: Callable[[Definition], Iterator[Problem]]

    def findings(self, definition: Definition) -> Iterator[Finding]:
        """The problems of a definition, with their places."""
        for path, sentence in self.check(definition):
            yield Finding(rule=self.id, where=definition.where(*path), text=f"{sentence} [{self.id}]")

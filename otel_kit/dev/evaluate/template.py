"""The message of a monitor: ``{{value}}``, ``{{#is_alert}}`` blocks, ``{{service.name}}``, ``@recipients``.

https://docs.datadoghq.com/monitors/notify/variables/. A block or function that is not rendered here is
refused by name; a variable that nothing defines is empty, as in Datadog.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from otel_kit.errors import InputError, UnsupportedError

__all__ = ["BLOCKS", "Situation", "check_template", "recipients", "render"]

#: Conditions without arguments, and the ones with two.
BLOCKS: Final = frozenset(
    {
        "is_alert",
        "is_warning",
        "is_no_data",
        "is_recovery",
        "is_alert_recovery",
        "is_warning_recovery",
        "is_no_data_recovery",
        "is_alert_to_warning",
        "is_warning_to_alert",
        "is_no_data_to_alert",
        "is_renotify",
    }
)
_MATCHES: Final = frozenset({"is_match", "is_exact_match"})
# Datadog fills these in; leaving them empty would look like a fault of the message.
_NOT_RENDERED: Final = frozenset(
    {
        "event.id",
        "first_triggered_at",
        "first_triggered_at_epoch",
        "last_triggered_at",
        "last_triggered_at_epoch",
        "triggered_duration_sec",
    }
)
_BRACKETS: Final = re.compile(r"\[([^\]]+)\]")
_TOKEN: Final = re.compile(r"\{\{\{?\s*(.*?)\s*\}?\}\}", re.DOTALL)
_ARGUMENT: Final = re.compile(r'"([^"]*)"')
_RECIPIENT: Final = re.compile(r"(?<![\w.])@[\w.+-]+(?:@[\w-]+(?:\.[\w-]+)+)?")
_ENDINGS: Final = ".-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What a message is rendered for: the conditions that hold, and the variables by name."""

    conditions: frozenset[str]
    variables: Mapping[str, str]


def render(template: str, situation: Situation) -> str:
    """The message, without the surrounding blank lines that left-out blocks leave.

    Raises:
        InputError: a block is not closed, or closed without being open.
        UnsupportedError: a block or function that is not rendered here, by name.
    """
    parts: list[str] = []
    # Each open block: its name, and whether what is within it is shown.
    open_blocks: list[tuple[str, bool]] = []
    position = 0
    for token in _TOKEN.finditer(template):
        shown = all(visible for _, visible in open_blocks)
        if shown:
            parts.append(template[position : token.start()])
        position = token.end()
        text = token.group(1)
        if text[:1] in {"#", "^"}:
            open_blocks.append(_opened(text, situation))
        elif text[:1] == "/":
            _close(open_blocks, text[1:].strip())
        elif shown:
            parts.append(_variable(text, situation))
    _refuse_open(open_blocks)
    return "".join([*parts, template[position:]]).strip()


def check_template(template: str) -> None:
    """Refuse what `render` would refuse, also within blocks that are not shown now."""
    nothing = Situation(conditions=frozenset(), variables={})
    open_blocks: list[tuple[str, bool]] = []
    for token in _TOKEN.finditer(template):
        text = token.group(1)
        if text[:1] in {"#", "^"}:
            open_blocks.append(_opened(text, nothing))
        elif text[:1] == "/":
            _close(open_blocks, text[1:].strip())
        else:
            _variable(text, nothing)
    _refuse_open(open_blocks)


def recipients(message: str) -> list[str]:
    """Everyone the message mentions, in order, once each: ``@team-shop``, ``@someone@example.com``."""
    found = (match.group().rstrip(_ENDINGS) for match in _RECIPIENT.finditer(message))
    return list(dict.fromkeys(mention for mention in found if mention != "@"))


def _opened(text: str, situation: Situation) -> tuple[str, bool]:
    name, _, rest = text[1:].strip().partition(" ")
    if name in BLOCKS:
        holds = name in situation.conditions
    elif name in _MATCHES:
        holds = _match(name, rest, situation)
    else:
        raise UnsupportedError(f"the block {{{{#{name}}}}} of a message is not rendered")
    return name, holds == (text[0] == "#")


def _match(name: str, arguments: str, situation: Situation) -> bool:
    found = _ARGUMENT.findall(arguments)
    if len(found) < 2:
        raise InputError(f"{{{{#{name}}}}} takes a variable and a text, both quoted")
    value = situation.variables.get(found[0], "")
    if name == "is_exact_match":
        return value in found[1:]
    # An empty text asks whether the variable is empty.
    return any(text in value if text else not value for text in found[1:])


def _close(open_blocks: list[tuple[str, bool]], name: str) -> None:
    if not open_blocks or open_blocks[-1][0] != name:
        inside = f" inside {{{{#{open_blocks[-1][0]}}}}}" if open_blocks else ""
        raise InputError(f"the message closes {{{{/{name}}}}}{inside}, which is not open there")
    open_blocks.pop()


def _refuse_open(open_blocks: list[tuple[str, bool]]) -> None:
    if open_blocks:
        raise InputError(f"the message does not close {{{{#{open_blocks[-1][0]}}}}}")


def _variable(text: str, situation: Situation) -> str:
    if text.startswith("!"):
        return ""
    if " " in text or "(" in text or text in _NOT_RENDERED:
        raise UnsupportedError(f"{{{{{text[:40]}}}}} of a message is not rendered")
    # A tag key with dots may be written in brackets: {{[http.route].name}}.
    return situation.variables.get(_BRACKETS.sub(r"\1", text), "")

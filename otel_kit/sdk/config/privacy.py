"""What is redacted, from the environment."""

from __future__ import annotations

import re
from typing import Final

from otel_kit.sdk.config.environment import Environment, setting_name
from otel_kit.sdk.config.refused import quoted
from otel_kit.sdk.privacy.settings import PrivacySettings, RedactMode

__all__ = ["resolve_privacy"]

_MODES: Final = ("default", "allow-list", "off")
#: One regex of a list: a comma inside a set, in braces or behind a backslash does not end it.
_REGEX: Final = r"(?:\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{\d*,?\d*\}|[^,])+"


def resolve_privacy(env: Environment) -> PrivacySettings:
    """The settings; a regex that cannot be used is one problem, and the others are used."""
    mode: RedactMode = env.choice("OTEL_KIT_REDACT", _MODES, "default")  # type: ignore[assignment]
    return PrivacySettings(
        mode=mode,
        allow=tuple(env.words("OTEL_KIT_REDACT_ALLOW", ())),
        keys=tuple(env.words("OTEL_KIT_REDACT_KEYS", ())),
        patterns=tuple(_patterns(env)),
    )


def _patterns(env: Environment) -> list[re.Pattern[str]]:
    name = "OTEL_KIT_REDACT_PATTERNS"
    found = []
    given = env.find(name)
    for text in re.findall(_REGEX, given[1]) if given else []:
        try:
            pattern = re.compile(text.strip())
            why = "it matches where there is nothing" if pattern.search("") else ""
        except (re.error, OverflowError, RecursionError) as error:
            why = str(error)
        if why:
            env.problems.append(f"{name}: the regex {quoted(text.strip())} is left out: {why}; correct it")
        else:
            found.append(pattern)
    if found:
        env.note(setting_name(name), [pattern.pattern for pattern in found], name)
    return found

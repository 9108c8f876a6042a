"""How to redact. It stands here, since what is wrong with any setting is redacted before it is told."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

__all__ = ["PrivacySettings", "RedactMode"]

RedactMode = Literal["default", "allow-list", "off"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacySettings:
    """How to redact.

    Attributes:
        mode: ``default``: what is secret by its name or by its shape; ``allow-list``: all texts as well but
            those under allowed keys; ``off``: nothing.
        allow: keys that keep their text whatever they are called; ``*`` stands for any signs.
        keys: names that are secret besides the known ones.
        patterns: what is secret in any text besides the known shapes.
    """

    mode: RedactMode = "default"
    allow: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    patterns: tuple[re.Pattern[str], ...] = ()

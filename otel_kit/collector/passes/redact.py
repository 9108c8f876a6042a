"""What must not leave the cluster: masked before anything else reads it."""

from __future__ import annotations

import re
from typing import Any

from otel_kit.collector.load import nearest
from otel_kit.collector.model import Component, Config, Kind
from otel_kit.collector.spec import Spec
from otel_kit.errors import InputError

__all__ = ["PATTERNS", "redact"]

#: Patterns that a spec may name. Each ends at word boundaries: without them a card number is also found inside
#: nanosecond timestamps and long ids.
PATTERNS = {
    "card_number": (
        r"\b(?:4[0-9]{3}|5[1-5][0-9]{2}|2[2-7][0-9]{2}|6(?:011|5[0-9]{2}))[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}\b",
        r"\b3[47][0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{5}\b",
    ),
    "bearer_token": (r"(?i)\bbearer\s+[a-z0-9._~+/-]+=*",),
    "jwt": (r"\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+",),
    "email": (r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}\b",),
}
_REGEX_SIGNS = set("\\[](){}*+?^$|.")


def redact(config: Config, spec: Spec) -> Config:
    """One instance for traces, which also cleans SQL, and one for logs without it.

    The SQL sanitiser of one shared instance would rewrite the bodies of all logs (seen at 0.158).
    """
    rules = _rules(spec)
    if config.role.takes != "apps" or (not rules and not spec.redact.sql):
        return config
    common = {"allow_all_keys": True, **rules}
    sanitiser = {
        "sanitize_span_name": False,
        "sql": {"enabled": True, "attributes": ["db.statement", "db.query.text"]},
    }
    traces = {**common, "db_sanitizer": sanitiser} if spec.redact.sql else common
    config = config.add(_component("traces", traces)).process(["traces"], "redaction/traces")
    if rules:
        config = config.add(_component("logs", common)).process(["logs"], "redaction/logs")
    return config


def _component(signal: str, config: dict[str, Any]) -> Component:
    return Component(kind=Kind.PROCESSOR, id=f"redaction/{signal}", config=config)


def _rules(spec: Spec) -> dict[str, Any]:
    rules: dict[str, Any] = {}
    if keys := spec.redact.keys:
        words = "|".join(re.escape(key).replace("_", "[-_]?") for key in keys)
        # Whole last words only: `token` must not hide `gen_ai.usage.input_tokens`.
        rules["blocked_key_patterns"] = [f"(?i)(^|[._-])({words})$"]
    if spec.redact.values:
        rules["blocked_values"] = [p for value in spec.redact.values for p in _patterns(value)]
    return rules


def _patterns(value: str) -> tuple[str, ...]:
    """A named pattern, or a regex as it stands (told by its signs)."""
    if value in PATTERNS:
        return PATTERNS[value]
    if not _REGEX_SIGNS & set(value):
        fix = nearest(value, PATTERNS) or f"known are {', '.join(PATTERNS)}; or write a regex"
        raise InputError(f"redact.values names no pattern: '{value}'", fix=fix)
    return (value.replace("$", "$$"),)

"""What must not leave the cluster: masked before anything else reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from otel_kit.collector.model import Component, Config, Kind
from otel_kit.collector.patterns import expand
from otel_kit.collector.spec import Spec

__all__ = ["redact"]

_MASK = "****"
#: What the redaction processor does not look at.
_TEXTS = {"span": ("span.name", "span.status.message"), "spanevent": ("spanevent.name",)}


def redact(config: Config, spec: Spec) -> Config:
    """Where telemetry enters: an instance for each signal, and a transformation before it for what it leaves.

    The SQL sanitiser is for traces alone: one for all would rewrite the bodies of all logs (seen at 0.158).
    """
    rules = _rules(spec)
    if config.role.takes == "collectors" or (not rules and not spec.redact.sql):
        return config
    # A list or a mapping is searched as the JSON text that it becomes where something is masked in it.
    common = {"allow_all_keys": True, "redact_all_types": True, **rules}
    sanitiser = {
        "sanitize_span_name": False,
        "sql": {"enabled": True, "attributes": ["db.statement", "db.query.text"]},
    }
    wanted = {
        "traces": {**common, "db_sanitizer": sanitiser} if spec.redact.sql else common,
        "logs": common if rules else None,
        "metrics": common if rules else None,
    }
    statements = {"traces": list(_on_texts(spec)), "logs": list(_on_nested(spec))}
    for signal, settings in wanted.items():
        if settings is None or config.pipeline(signal) is None:
            continue
        if lines := statements.get(signal):
            transform = {"error_mode": "ignore", f"{signal.removesuffix('s')}_statements": lines}
            config = _with(config, signal, "transform", transform)
        config = _with(config, signal, "redaction", settings)
    return config


def _with(config: Config, signal: str, type_: str, settings: dict[str, Any]) -> Config:
    name = signal if type_ == "redaction" else f"redact_{signal}"
    component = Component(kind=Kind.PROCESSOR, id=f"{type_}/{name}", config=settings)
    return config.add(component).process([signal], component.id)


def _on_texts(spec: Spec) -> Iterator[dict[str, Any]]:
    patterns = [_quoted(pattern) for value in spec.redact.values for pattern in expand(value)]
    # Each context by itself: together, those for a span would run only where it has events.
    for context, texts in _TEXTS.items() if patterns else ():
        statements = [f'replace_pattern({text}, {p}, "{_MASK}")' for text in texts for p in patterns]
        yield {"context": context, "statements": statements}


def _on_nested(spec: Spec) -> Iterator[dict[str, Any]]:
    """Keys inside mappings come to the top, where redaction sees them, in the records that need it."""
    if spec.redact.keys:
        pattern = rf'(?i)[:\[,]\{{.*["._-]({_words(spec)})":'
        statement = f"flatten(log.attributes) where IsMatch(String(log.attributes), {_quoted(pattern)})"
        yield {"context": "log", "statements": [statement]}


def _quoted(text: str) -> str:
    """A text of the transformation language; `$$` is the collector's way to write one `$`."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return f'"{escaped}"'


def _rules(spec: Spec) -> dict[str, Any]:
    rules: dict[str, Any] = {}
    if spec.redact.keys:
        # Whole last words only: `token` must not hide `gen_ai.usage.input_tokens`. A number is of a list.
        rules["blocked_key_patterns"] = [f"(?i)(^|[._-])({_words(spec)})([.][0-9]+)?$"]
    if spec.redact.values:
        rules["blocked_values"] = [p for value in spec.redact.values for p in expand(value)]
    return rules


def _words(spec: Spec) -> str:
    return "|".join(re.escape(key).replace("_", "[-_]?") for key in spec.redact.keys)

"""What must not leave the cluster: masked before anything else reads it."""

from __future__ import annotations

import re
from typing import Any

from otel_kit.collector.model import Component, Config, Kind
from otel_kit.collector.patterns import expand
from otel_kit.collector.spec import Spec

__all__ = ["redact"]


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
        rules["blocked_values"] = [p for value in spec.redact.values for p in expand(value)]
    return rules

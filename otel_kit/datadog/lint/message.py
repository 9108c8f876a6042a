"""Lint rules of a monitor's message: its conditional blocks and its template variables.

https://docs.datadoghq.com/monitors/notify/variables/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from otel_kit.datadog.lint.rule import Problem
from otel_kit.datadog.model import Definition
from otel_kit.datadog.query import QueryError, metric_queries, parse_monitor_query
from otel_kit.datadog.vocabulary import METRIC_TYPES
from otel_kit.errors import UnsupportedError

__all__ = ["check_blocks", "check_variables"]

_BLOCK: Final = re.compile(r"\{\{\s*([#^/])\s*([A-Za-z_]+)[^{}]*\}\}")
_EXPRESSION: Final = re.compile(r"\{\{([^{}]*)\}\}")
_TAG_NAME: Final = re.compile(r"(?:\[([^\]]+)\]|([\w@/-]+))\.name\b")
_LOG_GROUP: Final = re.compile(r"\.by\(([^)]*)\)")
# Variables of what triggered the monitor: there without a group-by.
_NOT_TAGS: Final = frozenset({"event", "log", "slo", "span", "synthetics"})


def check_blocks(definition: Definition) -> Iterator[Problem]:
    """Each ``{{#is_alert}}`` and ``{{^is_alert}}`` is closed by ``{{/is_alert}}``, properly nested."""
    opened: list[str] = []
    for match in _BLOCK.finditer(str(definition.body.get("message") or "")):
        sign, name = match.groups()
        if sign != "/":
            opened.append(name)
        elif not opened or opened[-1] != name:
            inside = f" inside {{{{#{opened[-1]}}}}}" if opened else ""
            yield ("message",), f"{{{{/{name}}}}} closes nothing{inside}"
            return
        else:
            opened.pop()
    if opened:
        yield ("message",), f"{{{{#{opened[-1]}}}}} is not closed: add {{{{/{opened[-1]}}}}}"


def check_variables(definition: Definition) -> Iterator[Problem]:
    """``{{env.name}}`` has a value only where the query groups by ``env``."""
    groups = _groups(definition)
    if groups is None:
        return
    seen: set[str] = set()
    for expression in _EXPRESSION.finditer(str(definition.body.get("message") or "")):
        for match in _TAG_NAME.finditer(expression[1]):
            tag = match[1] or match[2]
            # A tag key may itself end in `.name`: `{{host.name}}` grouped by `host.name`.
            if tag not in groups | _NOT_TAGS | seen and f"{tag}.name" not in groups:
                seen.add(tag)
                by = ", ".join(sorted(groups)) or "nothing"
                yield ("message",), f"the message shows {{{{{tag}.name}}}}, but the query groups by {by}"


def _groups(definition: Definition) -> frozenset[str] | None:
    """The tags a query groups by; None where it cannot be told."""
    query = str(definition.body["query"])
    if definition.body["type"] in METRIC_TYPES:
        try:
            expression = parse_monitor_query(query).expression
        except (QueryError, UnsupportedError):
            return None
        return frozenset(key for part in metric_queries(expression) for key in part.by)
    if definition.body["type"] != "log alert" or query.startswith("formula("):
        return None
    found = _LOG_GROUP.search(query)
    return frozenset(re.findall(r"[^\s,\"']+", found[1])) if found else frozenset()

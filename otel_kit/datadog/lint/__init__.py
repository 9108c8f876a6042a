"""Rules that catch, offline, what would break an apply or a monitor. Each has an id and is an error.

`RULES` maps the id of a rule to what it is about, for the documentation.
"""

from __future__ import annotations

from collections.abc import Iterable

from otel_kit.datadog.lint.dashboards import DASHBOARD_RULES
from otel_kit.datadog.lint.monitors import MONITOR_RULES
from otel_kit.datadog.lint.rule import Finding, Rule
from otel_kit.datadog.model import Definition, Kind

__all__ = ["RULES", "Finding", "lint"]

_BY_KIND: dict[Kind, tuple[Rule, ...]] = {"monitor": MONITOR_RULES, "dashboard": DASHBOARD_RULES}
RULES = {rule.id: rule.about for rules in _BY_KIND.values() for rule in rules}


def lint(definitions: Iterable[Definition]) -> list[Finding]:
    """Every finding, in the order of the definitions and of the rules; each text and place once."""
    found = (
        finding
        for definition in definitions
        for rule in _BY_KIND[definition.kind]
        for finding in rule.findings(definition)
    )
    # A repeated definition is wrong once, not once for each service.
    return list(dict.fromkeys(found))

"""The lint rules of dashboards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from otel_kit.datadog.lint.rule import Problem, Rule
from otel_kit.datadog.model import Definition
from otel_kit.datadog.query import (
    Expr,
    QueryError,
    Variable,
    filter_terms,
    metric_queries,
    parse_metric_queries,
)

__all__ = ["DASHBOARD_RULES"]

_Path = tuple[str | int, ...]


def _metric_texts(value: Any, path: _Path = ()) -> Iterator[tuple[_Path, str]]:
    """Each metric query in a dashboard: ``q`` of the older form, ``query`` of a metrics data source."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _metric_texts(item, (*path, index))
    elif isinstance(value, dict):
        key = "query" if value.get("data_source") == "metrics" else "q"
        text = value.get(key)
        if isinstance(text, str) and text.strip():
            yield (*path, key), text
        for name, child in value.items():
            # `events` is a search for events, also called `q`.
            if name != "events" and isinstance(child, (dict, list)):
                yield from _metric_texts(child, (*path, name))


def _widget_queries(definition: Definition) -> Iterator[tuple[_Path, str]]:
    return _metric_texts(definition.body["widgets"], ("widgets",))


def _query_syntax(definition: Definition) -> Iterator[Problem]:
    for path, text in _widget_queries(definition):
        try:
            parse_metric_queries(text)
        except QueryError as error:
            yield path, str(error)


def _template_variables(definition: Definition) -> Iterator[Problem]:
    variables = definition.body.get("template_variables") or []
    known = {str(v.get("name")) for v in variables if isinstance(v, dict)}
    for path, text in _widget_queries(definition):
        try:
            parsed = parse_metric_queries(text)
        except QueryError:
            continue
        for name in sorted({name for expr in parsed for name in _used(expr)} - known):
            yield path, f"the query uses ${name}, which template_variables does not have"


def _used(expr: Expr) -> Iterator[str]:
    for query in metric_queries(expr):
        yield from (term.name for term in filter_terms(query.filter) if isinstance(term, Variable))


def _tags(definition: Definition) -> Iterator[Problem]:
    for index, tag in enumerate(definition.body.get("tags") or []):
        if not str(tag).startswith("team:"):
            yield ("tags", index), f"a dashboard takes no tag but team:..., not '{tag}'"


def _free_layout(definition: Definition) -> Iterator[Problem]:
    if definition.body["layout_type"] != "free":
        return
    for index, widget in enumerate(definition.body["widgets"]):
        if "layout" not in widget:
            yield ("widgets", index), "a widget of a free dashboard needs a 'layout' (x, y, width, height)"


DASHBOARD_RULES: Final = (
    Rule(id="widget-query", about="Each metric query of a widget parses.", check=_query_syntax),
    Rule(
        id="template-variable",
        about="Each $variable of a query is declared in template_variables.",
        check=_template_variables,
    ),
    Rule(id="dashboard-tags", about="Dashboards take only team: tags.", check=_tags),
    Rule(id="free-layout", about="Each widget of a free dashboard has its place.", check=_free_layout),
)

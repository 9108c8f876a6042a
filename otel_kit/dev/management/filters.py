"""Which monitors a list shows. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from otel_kit.datadog.query import TagIs, filter_terms, metric_queries, parse_monitor_query
from otel_kit.dev.errors import Refusal
from otel_kit.dev.numbers import whole_number
from otel_kit.errors import OtelKitError

__all__ = ["page_of", "select_monitors"]

Json = dict[str, Any]
_DEFAULT_PAGE: Final = 100
_MAX_PAGE: Final = 1000
_STATES: Final = frozenset({"all", "alert", "warn", "no data", "ok"})


def select_monitors(monitors: Sequence[Json], query: Mapping[str, str]) -> Sequence[Json]:
    """Filter by ``name`` (a part of it), ``monitor_tags`` (all) and ``tags`` (scope of the query), then page.

    Without ``page``, ``page_size`` and ``id_offset`` all of them are shown.
    """
    for state in query.get("group_states", "all").split(","):
        if state.strip().lower() not in _STATES:
            raise Refusal(400, "Invalid group_state filters.")
    found = list(monitors)
    if query.get("name"):
        part = query["name"].lower()
        found = [m for m in found if part in m["name"].lower()]
    if query.get("monitor_tags"):
        wanted = set(query["monitor_tags"].split(","))
        found = [m for m in found if wanted <= set(m["tags"])]
    if query.get("tags"):
        scope = {tag.lower() for tag in query["tags"].split(",")}
        found = [m for m in found if scope <= _scope(m["query"])]
    if "id_offset" in query:
        offset = _number(query, "id_offset", 0)
        return [m for m in found if m["id"] > offset][: _number(query, "page_size", _DEFAULT_PAGE)]
    return page_of(found, query) if "page" in query or "page_size" in query else found


def page_of(items: Sequence[Json], query: Mapping[str, str]) -> Sequence[Json]:
    """One page; ``page`` counts from 0."""
    size = _number(query, "page_size", _DEFAULT_PAGE)
    if not 1 <= size <= _MAX_PAGE:
        raise Refusal(400, f"The value provided for parameter 'page_size' is invalid: 1 to {_MAX_PAGE}")
    start = _number(query, "page", 0) * size
    return items[start : start + size]


def _number(query: Mapping[str, str], key: str, default: int) -> int:
    found = whole_number(query.get(key, str(default)))
    if found is None:
        raise Refusal(400, f"The value provided for parameter '{key}' is invalid: it must be a number")
    return found


def _scope(query: str) -> set[str]:
    try:
        expression = parse_monitor_query(query).expression
    except OtelKitError:
        return set()
    terms = (term for found in metric_queries(expression) for term in filter_terms(found.filter))
    return {
        f"{term.key}:{term.value}" if term.value else term.key for term in terms if isinstance(term, TagIs)
    }

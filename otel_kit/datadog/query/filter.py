"""Parse what stands between ``{`` and ``}`` of a metric query.

Either symbols (``a:b,!c:d``) or words (``a:b AND c IN (d, e)``): Datadog refuses a mixture of the two.
https://docs.datadoghq.com/metrics/advanced-filtering/
"""

from __future__ import annotations

import re
from typing import Final

from otel_kit.datadog.query.ast import AllOf, AnyOf, Filter, Not, TagIn, TagIs, Variable
from otel_kit.datadog.query.scan import Scanner

__all__ = ["parse_filter", "parse_group_by"]

_TERM: Final = re.compile(r"[^\s,{}()!]+")
_VARIABLE: Final = re.compile(r"\$([^\s.]+(?:\.(?!value$)[^\s.]+)*)(\.value)?$")


def parse_filter(scan: Scanner) -> Filter:
    """Parse ``{...}``; the scanner stands at the brace."""
    opened = scan.column
    scan.expect("{", " and a filter ({*} for everything) after the metric name")
    if scan.accept("}"):
        return AllOf()
    parsed = _FilterParser(scan, opened).any_of()
    scan.expect("}", f" to close the filter opened at column {opened}")
    return parsed


def parse_group_by(scan: Scanner) -> tuple[str, ...]:
    """Parse ``by {a, b}`` if it is there."""
    if not scan.accept_word("by"):
        return ()
    opened = scan.column
    scan.expect("{", " after 'by'")
    keys = [_word(scan, "a tag key to group by")]
    while scan.accept(","):
        keys.append(_word(scan, "a tag key to group by"))
    scan.expect("}", f" to close the group-by opened at column {opened}")
    return tuple(keys)


class _FilterParser:
    def __init__(self, scan: Scanner, opened: int) -> None:
        self._scan = scan
        self._opened = opened
        self._symbol: str | None = None
        self._keyword: str | None = None

    def any_of(self) -> Filter:
        items = [self._all_of()]
        while self._accept_keyword("or"):
            items.append(self._all_of())
        return items[0] if len(items) == 1 else AnyOf(items=tuple(items))

    def _all_of(self) -> Filter:
        items = [self._unary()]
        while self._accept_symbol(",") or self._accept_keyword("and"):
            items.append(self._unary())
        kept = tuple(i for i in items if i != AllOf())
        return kept[0] if len(kept) == 1 else AllOf(items=kept)

    def _unary(self) -> Filter:
        self._scan.enter()
        try:
            if self._accept_symbol("!") or self._accept_keyword("not"):
                return Not(item=self._unary())
            if self._scan.sees("("):
                return self._parenthesis()
            return self._term()
        finally:
            self._scan.leave()

    def _parenthesis(self) -> Filter:
        opened = self._scan.column
        self._scan.expect("(")
        inner = self.any_of()
        self._scan.expect(")", f" to close the parenthesis opened at column {opened}")
        return inner

    def _term(self) -> Filter:
        word = _word(self._scan, "a tag (key:value, * or $variable)")
        if self._accept_keyword("in"):
            return TagIn(key=word.lower(), values=self._values())
        if self._scan.accept_word("not"):
            if not self._accept_keyword("in"):
                self._scan.fail("'IN' after 'NOT'")
            return Not(item=TagIn(key=word.lower(), values=self._values()))
        return _condition(word)

    def _values(self) -> tuple[str, ...]:
        opened = self._scan.column
        self._scan.expect("(", " after 'IN'")
        values = [_word(self._scan, "a tag value")]
        while self._scan.accept(","):
            values.append(_word(self._scan, "a tag value"))
        self._scan.expect(")", f" to close the list opened at column {opened}")
        return tuple(v.lower() for v in values)

    def _accept_symbol(self, symbol: str) -> bool:
        if not self._scan.accept(symbol):
            return False
        self._symbol = symbol
        self._refuse_mixture()
        return True

    def _accept_keyword(self, word: str) -> bool:
        if not self._scan.accept_word(word):
            return False
        self._keyword = word.upper()
        self._refuse_mixture()
        return True

    def _refuse_mixture(self) -> None:
        if self._symbol and self._keyword:
            self._scan.refuse(
                f"the filter opened at column {self._opened} mixes {self._symbol!r} with {self._keyword!r}: "
                "Datadog accepts either the symbols (, !) or the words (AND OR NOT IN)",
                self._opened,
            )


def _word(scan: Scanner, expected: str) -> str:
    return scan.match(_TERM) or scan.fail(expected)


def _condition(word: str) -> Filter:
    if word == "*":
        return AllOf()
    key, colon, value = word.partition(":")
    variable = _VARIABLE.match(value if colon else word)
    if variable:
        name, dot_value = variable.groups()
        return Variable(name=name, key=key.lower() if colon else None, value_only=dot_value is not None)
    return TagIs(key=key.lower(), value=value.lower())

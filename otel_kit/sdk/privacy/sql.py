"""Takes the literals out of a statement: each becomes ``?``, as the conventions of databases want it.

https://opentelemetry.io/docs/specs/semconv/database/database-spans/#sanitization-of-dbquerytext

Dialects differ in what quotes and backslashes mean. Where that decides whether a text is a literal, it is
taken for one.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["without_literals"]

_TOKEN: Final = re.compile(
    r"""
    (?P<comment> --[^\n]* | /\*.*?(?:\*/|\Z) )
    | (?P<dollar> \$(?P<tag>(?:[A-Za-z_]\w*)?)\$ .*? (?:\$(?P=tag)\$|\Z) )
    | (?P<text> (?:\b[A-Za-z]{1,2})?'[^'\\]*(?:''[^'\\]*)*(?P<odd>\\)?(?(odd)|(?:'|\Z)) )
    | (?P<double> "[^"\\]*(?:""[^"\\]*)*(?P<odd2>\\)?(?(odd2)|(?:"|\Z)) )
    | (?P<name> `[^`]*`? | (?:[@:%$#]+|[^\W\d])[\w$@#]* )
    | (?P<number> \.?\d[\w.]* )
    | (?P<space> \s+ )
    | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_IDENTIFIER: Final = re.compile(r'"[A-Za-z_][\w$ -]*"')
#: After these a name in double quotes is a text, as MySQL and BigQuery write it.
_BEFORE_TEXT: Final = frozenset(["=", "<", ">", "like", "ilike", "regexp", ":"])
#: Between these and the next word of a clause, commas separate values and not columns.
_VALUES: Final = frozenset(["values", "in"])
_CLAUSES: Final = frozenset(
    ["select", "from", "where", "returning", "on", "order", "group", "into", "and", "or"]
)


def without_literals(statement: str) -> str:
    """The statement with each text and number as ``?`` and without comments."""
    out: list[str] = []
    before, values = "", False
    mysql = "`" in statement
    for match in _TOKEN.finditer(statement):
        kind, token = match.lastgroup, match[0]
        if match["odd"] or match["odd2"]:
            # A backslash escapes the quote behind it, or is a sign like any other: no one can tell where
            # the text ends.
            out.append("?")
            break
        if kind == "space":
            out.append(token)
            continue
        word = token.lower()
        if match["comment"]:
            out.append(" ")
            continue
        if match["name"]:
            values = word in _VALUES or (values and word not in _CLAUSES)
        literal = match["text"] or match["number"] or match["dollar"]
        if match["name"] and before.startswith('"') and word[1:].isdigit():
            token, literal = ":", None  # of a document in JSON; elsewhere :1 is a placeholder
            out.append(":?")
            before = word
            continue
        if match["double"]:
            literal = mysql or values or before in _BEFORE_TEXT or not _IDENTIFIER.fullmatch(token)
        out.append("?" if literal else token)
        before = word
    return "".join(out)

"""What is secret or personal by its shape, wherever it stands in a text.

Each rule takes linear time: a repetition either has a limit, or cannot begin again inside of what it has
read (the look behind at its start), or cannot fail. Nearly all texts hold nothing: `signs` lets them by.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Final

from otel_kit.sdk.privacy import MARK
from otel_kit.sdk.privacy.names import Names
from otel_kit.sdk.privacy.signs import Signs

__all__ = ["Shapes"]

_PRIVATE_KEY: Final = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----.*?"
    r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)",
    re.DOTALL,
)
#: User and password of a URL; a password may hold what should have been encoded, but not without limit.
_CREDENTIALS: Final = re.compile(
    r"://(?:[^\s/?#\"'<>]{1,512}|[^\s/?#@:]{1,128}:(?!\d+[/?#])[^\s@]{0,128}(?:@[^\s/?#@]{0,64}){0,2})@"
)
_EMAIL: Final = re.compile(
    r"(?<![\w.%+-])[\w.%+-]+(?:@|%40)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}(?![\w-])"
)
_JWT: Final = re.compile(r"(?<![\w-])(?=[\w-]+\.[\w-])[\w-]*?eyJ[\w-]+\.[\w-]+(?:\.[\w-]*)*", re.ASCII)
_SCHEME: Final = re.compile(r"\b(bearer|basic)( {1,4}|%20|\+)([A-Za-z0-9._~+/-]{6,}=*)", re.IGNORECASE)
_NO_TOKEN: Final = frozenset(
    ["access", "auth", "authentication", "authorization", "credentials", "scheme", "token"]
)
#: Keys whose issuers gave them a beginning: AWS, Google, GitHub, Slack, Datadog, ...
_ISSUED: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}(?![0-9A-Z])"
    r"|AIza[\w-]{30,}|ya29\.[\w.-]{10,}|GOCSPX-[\w-]{20,}|1//0[\w-]{20,}"
    r"|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[\w-]{16,}"
    r"|xox[abeoprs]-[\w-]{8,}|xapp-[\w-]{8,}|xoxe\.[\w.-]{8,}|hooks\.slack\.com/services/[\w/]{8,}"
    r"|[rsp]k_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{16,}|sk-[\w-]{20,}"
    r"|pub[0-9a-f]{32}(?![0-9a-f])|dd(?:api|app|pat|sat|og)_[\w-]{20,}"
    r"|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{30,}|SG\.[\w-]{16,}\.[\w-]{16,}|hf_[A-Za-z0-9]{20,}|dop_v1_[0-9a-f]{40,}"
    r")",
    re.ASCII,
)
_CARD: Final = re.compile(
    r"(?<![A-Za-z0-9])(?<!\d\.)(?:\d{13,19}"
    r"|\d{4}([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?|\d{4}([ -])\d{6}\2\d{4,5})(?![A-Za-z0-9])(?!\.\d)",
    re.ASCII,
)
_BRAND: Final = re.compile(
    r"4\d{12}(?:\d{3}|\d{6})?|5[1-5]\d{14}|2(?:2[2-9]|[3-6]\d|7[01])\d{13}|2720\d{12}|3[47]\d{13}"
    r"|3(?:0[0-5]|[68]\d)\d{11}|6(?:011|5\d\d|4[4-9]\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}|62\d{14,17}"
)
#: ``name=``, ``"name": ``, ``("name", ``, ``--name `` and ``name `` before what may be a key.
_NAMED: Final = re.compile(
    r"(?<![\w.%-])(?P<url>(?<=[?&]))?(?P<dashes>--)?"
    r"(?P<name>(?:(?:[aA][pP][iI]|[aA]ccess|[pP]rivate|[sS]ecret) (?=[kK][eE][yY]))?[\w.%-]+)(?:"
    r"(?P<mark>\]?[\\\"']{0,4}[ \t]{0,4}(?:=>|:=|==?|:(?!:))[ \t]{0,4})"
    r"|(?P<pair>[\"'],[ ]?(?=b?[\"']))"
    r"|(?(dashes)[ ]{1,4}|[ ]{1,4}(?:is[ ])?(?=[\w+/=.~-]{16})))"
)
#: The value behind such a name: in quotes, after the scheme of a header, or up to what ends it. A sign that
#: may end it belongs to it where neither the end, nor another name follows.
_QUOTED: Final = re.compile(r"""(?P<open>[bru]{0,2}(\\{0,3})(["']))(?:(?!\2\3)(?:\\.|.))*""", re.DOTALL)
_BARE: Final = re.compile(
    r"(?P<open>)(?:(?:bearer|basic|digest|token|apikey) {1,4})?"
    r"(?:[^\s\"'\\&;,|<>(){}\[\]]|[&;,|<>(){}\[\]](?![\s\"'&;,|<>(){}\[\]]|[\w.%-]{1,64}[\"']?[ ]?[=:]|\Z))+",
    re.IGNORECASE,
)
_LIST: Final = re.compile(r"""(?P<open>\[)(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^\]"'])+""", re.DOTALL)
#: Name and value of an entry, each with a name of its own, as of gRPC's metadata.
_ENTRY: Final = re.compile(
    r"""(?P<head>["'](?P<name>[\w.%-]{1,100})["'],\s{0,4}["']?[vV]alue["']?\s{0,2}[=:]\s{0,2}b?"""
    r"""(?P<quote>["']))(?:\\.|(?!(?P=quote)).)+""",
    re.DOTALL,
)
_LINE: Final = re.compile(r"(?P<open>)(?:digest [^\r\n}]+|[^\r\n\"'}]+)", re.IGNORECASE)
_LONG: Final = re.compile(r"(?P<open>)(?=\S*\d)[\w+/=.~-]{16,}")
#: No secrets, but words of a log on one.
_NOTHING: Final = re.compile(
    r"|none|null|nil|true|false|undefined|disabled|enabled|expired|failed|invalid|missing|no|not|ok|required|yes"
    r"|basic|bearer|default"
    rf"|{MARK}",
    re.IGNORECASE,
)
#: How many tests pass, and which pin of a chip it is.
_COUNT: Final = re.compile(r"(?:pass|pin)\W*\d\d?", re.IGNORECASE)
#: An element of XML with a text.
_ELEMENT: Final = re.compile(
    r"(?P<head><(?P<name>(?:[\w.-]{1,64}:)?[\w.-]{1,64})(?:\s[^<>]{0,512})?>)"
    r"(?:<!\[CDATA\[)?[^<]+(?=</(?P=name)\s*>)"
)
#: What databases and SQLAlchemy say of the values in a statement that failed.
_ROWS: Final = re.compile(
    r"(?P<head>\[parameters: |Failing row contains |Key \([^)\n]{1,200}\)=)(?:\([^\n]*\)|[\[{(][^\n]*)"
)
#: How SQLAlchemy and PostgreSQL quote that statement.
_STATEMENT: Final = re.compile(
    r"(?P<head>\[SQL: |LINE \d{1,6}: )"
    r"(?P<statement>(?<=\[SQL: )(?:(?!\](?:\n\[parameters: |\n\(Background on |\Z)).)*|(?-s:.*))",
    re.DOTALL,
)

#: Characters of the shortest text in which there may be something.
_LEAST: Final = 6


class Shapes:
    """Takes out what is secret by its shape, or by the name that stands before it.

    Args:
        names: tells secret names.
        extra: further patterns.
    """

    def __init__(self, names: Names, extra: Sequence[re.Pattern[str]] = ()) -> None:
        self._names = names
        self._extra = extra
        self._signs = Signs(names)

    def clean(self, text: str, *, named: bool = True) -> str:
        """The text with the mark in the place of each secret in it.

        Args:
            text: any text.
            named: whether what stands behind a secret name counts.
        """
        for pattern in self._extra:
            text = pattern.sub(MARK, text)
        if len(text) < _LEAST or not self._signs.among(text):
            return text
        text = _CARD.sub(_card, self._without_secrets(text, named))
        return _EMAIL.sub(_email, text) if "@" in text or "%40" in text else text

    def clean_all(self, texts: Sequence[str]) -> Sequence[str]:
        """Each of the texts as by `clean`."""
        if self._extra:
            return [self.clean(text) for text in texts]
        found = self._signs.among_all(texts)
        return [self.clean(t) if n in found else t for n, t in enumerate(texts)] if found else texts

    def _without_secrets(self, text: str, named: bool) -> str:
        if "://" in text and "@" in text:
            text = _CREDENTIALS.sub(f"://{MARK}@", text)
        lower = text.lower()
        text = self._by_form(text, lower)
        if named and self._names.hint.search(lower):
            if "</" in text:
                text = _ELEMENT.sub(self._headed, text)
            if "alue" in text:
                text = _ENTRY.sub(self._headed, text)
            text = self._behind_names(text)
        return text

    def _by_form(self, text: str, lower: str) -> str:
        if "-----BEGIN" in text:
            text = _PRIVATE_KEY.sub(MARK, text)
        if "(" in text and (")=" in text or "[parameters: " in text or "Failing row" in text):
            text = _ROWS.sub(rf"\g<head>{MARK}", text)
        if "[SQL: " in text or "LINE " in text:
            text = _STATEMENT.sub(_sanitized, text)
        if "eyJ" in text:
            text = _JWT.sub(MARK, text)
        if "bearer" in lower or "basic" in lower:
            text = _SCHEME.sub(_scheme, text)
        return _ISSUED.sub(MARK, text)

    def _behind_names(self, text: str) -> str:
        parts: list[str] = []
        done = 0
        for match in _NAMED.finditer(text):
            if match.start() >= done and self._is_secret(text, match):
                begin, end = _value(text, match)
                if end > begin:
                    parts += (text[done:begin], MARK)
                    done = end
        return "".join([*parts, text[done:]]) if done else text

    def _headed(self, match: re.Match[str]) -> str:
        return f"{match['head']}{MARK}" if self._names.secret(match["name"]) else match[0]

    def _is_secret(self, text: str, match: re.Match[str]) -> bool:
        name = match["name"]
        if text.endswith(("unexpected ", "Unexpected "), 0, match.start()):
            return False  # of what a parser met
        if match["url"] is not None:
            return self._names.secret_parameter(name)
        if match["pair"] is not None:  # of a name and a value, not two names of a list
            before = text[max(0, match.start() - 3) : match.start()].rstrip("b\"'")
            return before.endswith(("(", "[")) and self._names.secret(name)
        return self._names.secret(name)


def _value(text: str, match: re.Match[str]) -> tuple[int, int]:
    """Where the value behind a secret name begins and ends; nothing where there is none."""
    begin = match.end()
    if match["mark"] is match["pair"] is match["dashes"]:  # all None: a word before another
        bare = _LONG
    else:
        bare = _LINE if match["name"].lower().endswith(("cookie", "authorization")) else _BARE
    found = _QUOTED.match(text, begin) or _LIST.match(text, begin) or bare.match(text, begin)
    if found is None:
        return begin, begin
    first, end = found.end("open"), found.end()
    nothing = _NOTHING.fullmatch(text, first, end) or _COUNT.fullmatch(text, match.start("name"), end)
    return (begin, begin) if nothing else (first, end)


def _card(match: re.Match[str]) -> str:
    digits = match[0].replace(" ", "").replace("-", "")
    return MARK if _BRAND.fullmatch(digits) and _luhn(digits) else match[0]


def _luhn(digits: str) -> bool:
    """The check digit of ISO/IEC 7812-1."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        number = int(digit) << (position & 1)
        total += number - 9 if number > 9 else number
    return total % 10 == 0


def _sanitized(match: re.Match[str]) -> str:
    from otel_kit.sdk.privacy.sql import without_literals

    return f"{match['head']}{without_literals(match['statement'])}"


def _scheme(match: re.Match[str]) -> str:
    scheme, space, token = match.groups()
    secret = token.lower() not in _NO_TOKEN if scheme.lower() == "bearer" else _is_basic(token)
    return f"{scheme}{space}{MARK}" if secret else match[0]


def _is_basic(token: str) -> bool:
    """Whether this is ``user:password`` in base64, and no word of a sentence."""
    try:
        return b":" in base64.b64decode(token + "=" * (-len(token) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False


def _email(match: re.Match[str]) -> str:
    return match[0] if match[0].startswith(f"{MARK}@") else MARK

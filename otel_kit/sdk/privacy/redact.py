"""Takes secrets and personal data out of what is recorded, before it leaves the process.

By name: what a key says to be secret is replaced as a whole; a number or a truth value only where its name
leaves no doubt, since most of them count or tell something. By shape: what looks like a secret is replaced
within any text, and so is the number of a card. The mark is always the same, so that nothing of a secret, not
even its length, is left.

Texts that have no key of their own go by one as well: ``message`` for that of a log record, ``span.name``,
``event.name`` and ``status.description``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from fnmatch import translate
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_plus

from otel_kit.sdk.privacy import MARK
from otel_kit.sdk.privacy.settings import PrivacySettings
from otel_kit.sdk.text import text_of

if TYPE_CHECKING:
    from otel_kit.sdk.privacy.names import Names
    from otel_kit.sdk.privacy.shapes import Shapes

__all__ = ["Redactor", "default_redactor", "make_redactor"]

#: Nesting beyond which a value is judged by its text; a circle ends here.
_DEPTH: Final = 8
_REMEMBER: Final = 4096
#: Longer texts hardly come twice.
_SHORT: Final = 200
#: From so many texts on it is quicker to look at them together.
_MANY: Final = 8
#: What keeps its text in the mode ``allow-list`` unnamed: words of the conventions, not of people.
_ALLOWED: Final = (
    *("http.request.method", "http.response.status_code", "url.scheme", "url.template", "error.type"),
    *("network.protocol.*", "network.transport", "network.type", "server.address"),
    *(
        "exception.type",
        "exception.escaped",
        "span.name",
        "event.name",
        "otel.*",
        "telemetry.*",
        "code.*",
        "thread.name",
    ),
    *("rpc.system", "rpc.system.name", "rpc.service", "rpc.method", "rpc.response.status_code"),
    *("db.system", "db.system.name", "db.namespace", "db.collection.name", "db.operation.name"),
    *("db.query.summary", "messaging.system", "messaging.operation.*", "messaging.destination.name"),
    *("os.*", "process.runtime.*", "cpython.*", "faas.name", "faas.trigger", "peer.service"),
)


class _Kind(Enum):
    """How the text under a key is treated."""

    PLAIN = "searched for shapes"
    SECRET = "replaced as a whole"  # noqa: S105 - no password
    NUMBERS = "replaced as a whole, but for truth values"
    TEXTS = "replaced as a whole, but for numbers and truth values"
    IDENTITY = "kept"
    STATEMENT = "without literals"
    QUERY = "by parameter"
    URL = "by parameter, from the question mark on"


_PLAIN: Final = _Kind.PLAIN
_HIDDEN: Final = frozenset([_Kind.SECRET, _Kind.NUMBERS, _Kind.TEXTS])
_NUMBERS: Final = frozenset([bool, int, float])
#: No smaller number is that of a card.
_CARD: Final = 10**12
_KINDS: Final = {
    **dict.fromkeys(("db.query.text", "db.statement"), _Kind.STATEMENT),
    **dict.fromkeys(("url.query", "http.query"), _Kind.QUERY),
    **dict.fromkeys(("url.full", "url.original", "http.url", "http.target"), _Kind.URL),
}


@lru_cache(maxsize=4)
def make_redactor(settings: PrivacySettings) -> Redactor | None:
    """The redactor that the signals share, with what it remembers; None where nothing is redacted."""
    if settings.mode == "off":
        return None
    made = Redactor(settings)
    if hasattr(os, "register_at_fork"):
        # Amid the compiling no process may fork: the lock that is held meanwhile would stay so in the child.
        os.register_at_fork(before=made.compile)
    return made


def default_redactor() -> Redactor:
    """For what is told of the settings themselves, whatever they are."""
    made = make_redactor(PrivacySettings())
    assert made is not None  # these settings do redact
    return made


class Redactor:
    """A function of a key and its value that gives the value to send.

    It is pure, never raises, and may be called from several threads.

    Args:
        settings: those of the process.
    """

    def __init__(self, settings: PrivacySettings) -> None:
        self._settings = settings
        self._strict = settings.mode == "allow-list"
        self._allowed = _glob(settings.allow)
        self._known_allowed = _glob(_ALLOWED if self._strict else ())
        self._kinds: dict[str, _Kind] = {}
        self._clean: set[str] = set()

    # The patterns take some 10 ms to compile: when the first text comes, mostly in a thread of ours, and not
    # at the start.
    @cached_property
    def _names(self) -> Names:
        from otel_kit.sdk.privacy.names import Names

        return Names(self._settings.keys)

    @cached_property
    def _shapes(self) -> Shapes:
        from otel_kit.sdk.privacy.shapes import Shapes

        return Shapes(self._names, self._settings.patterns)

    @cached_property
    def _without_literals(self) -> Callable[[str], str]:
        from otel_kit.sdk.privacy.sql import without_literals

        return without_literals

    def compile(self) -> None:
        """Compile the patterns now, or wait for the thread that does."""
        _ = self._names, self._shapes, self._without_literals

    def texts(self, key: str, texts: Sequence[str]) -> Sequence[str]:
        """What to send under this key of each of many texts: at a fifth of the cost of one by one."""
        if len(texts) >= _MANY and (self._kinds.get(key) or self._kind(key)) is _PLAIN:
            return self._shapes.clean_all(texts)
        return [self(key, text) for text in texts]

    def __call__(self, key: str, value: Any) -> Any:
        """The value to send under this key."""
        try:
            kind = self._kinds.get(key) or self._kind(key)
            if kind is _PLAIN:
                of = type(value)
                if of is str:
                    return value if value in self._clean else self._plain(value)
                if of in _NUMBERS and value < _CARD:
                    return value
            return self._value(key, value, kind, 0)
        except Exception:  # of an object of the service that cannot be read
            return self._unread(key, value)

    def _plain(self, text: str) -> str:
        """A text searched for shapes; short ones in which there was nothing are remembered."""
        clean = self._shapes.clean(text)
        if clean == text and len(text) <= _SHORT:
            if len(self._clean) >= _REMEMBER:
                self._clean.clear()
            self._clean.add(text)
        return clean

    def _unread(self, key: str, value: Any) -> str:
        try:
            return self._text(text_of(value), self._kind(key))
        except Exception:
            return MARK  # rather nothing than a secret

    def _value(self, key: str, value: Any, kind: _Kind, depth: int) -> Any:
        if isinstance(value, str):
            return self._text(value if type(value) is str else str.__str__(value), kind)
        if value is None or isinstance(value, bool | int | float):
            return self._number(value, kind)
        if isinstance(value, bytes):
            text = value.decode("utf-8", "replace")
            return value if self._text(text, kind) == text else MARK
        if depth < _DEPTH and isinstance(value, Mapping):
            return self._mapping(key, value, kind, depth + 1)
        if depth < _DEPTH and isinstance(value, Sequence | set | frozenset):
            each = self._of_each(key, kind)
            return [self._value(key, item, each, depth + 1) for item in value]
        return self._text(text_of(value), kind)

    def _number(self, value: bool | float | None, kind: _Kind) -> Any:
        if value is None or kind is _Kind.IDENTITY:
            return value
        if kind is _Kind.SECRET or (kind is _Kind.NUMBERS and not isinstance(value, bool)):
            return MARK
        if value >= _CARD and isinstance(value, int):
            text = str(value)
            return value if self._shapes.clean(text) == text else MARK
        return value

    def _of_each(self, key: str, kind: _Kind) -> _Kind:
        """The kind of each item of a list or mapping: what is called ``tokens`` are counts, or secrets."""
        if key[-1:] not in ("s", "S"):
            return kind
        one = self._kind(key[:-1])
        if one not in _HIDDEN or kind is _Kind.SECRET or self._names_it(key):
            return kind
        return _Kind.TEXTS if key.lower().endswith("tokens") else one

    def _mapping(self, key: str, value: Mapping[Any, Any], kind: _Kind, depth: int) -> Any:
        if kind in _HIDDEN and not (self._strict and kind is _Kind.TEXTS):
            return MARK
        each = self._of_each(key, _PLAIN)
        inherits = self._strict and self._names_it(key)
        found = {}
        for name, item in value.items():
            text = text_of(name)
            within = self._within(text) if inherits else self._kind(text)
            within = each if within is _PLAIN else within
            found[self._shapes.clean(text)] = self._value(text, item, within, depth)
        return found

    def _within(self, name: str) -> _Kind:
        """The kind of a name beneath an allowed one: allowed, but for what is secret."""
        kind = self._kind(name)
        return _Kind.PLAIN if kind in _HIDDEN and not self._names.secret(name) else kind

    def _text(self, text: str, kind: _Kind) -> str:
        if kind is _PLAIN:
            return self._shapes.clean(text)
        if kind is _Kind.IDENTITY:
            return text
        if kind in _HIDDEN:
            return MARK
        if kind is _Kind.STATEMENT:
            return self._shapes.clean(self._without_literals(text), named=False)
        if kind is _Kind.QUERY:
            return self._query(text)
        address, mark, query = text.partition("?")
        return f"{self._shapes.clean(address)}{mark}{self._query(query)}"

    def _query(self, query: str) -> str:
        return "&".join([self._parameter(pair) for pair in query.split("&")])

    def _parameter(self, pair: str) -> str:
        name, equals, value = pair.partition("=")
        if not equals:
            return self._shapes.clean(pair)
        if self._names.secret_parameter(unquote_plus(name)):
            return f"{name}={MARK}"
        if "%" in value or "+" in value:
            # A whole URL may stand here, with a query of its own.
            plain = unquote_plus(value)
            if self._shapes.clean(plain) != plain:
                return f"{name}={MARK}"
        return f"{name}={self._shapes.clean(value)}"

    def _kind(self, key: str) -> _Kind:
        kind = self._kinds.get(key)
        if kind is None:
            kind = self._classify(key)
            if len(self._kinds) >= _REMEMBER:
                self._kinds.clear()
            self._kinds[key] = kind
        return kind

    def _classify(self, key: str) -> _Kind:
        if self._names.identity(key):
            return _Kind.IDENTITY
        if not self._names_it(key):
            if self._names.secret(key):
                return self._secret(key)
            if key.startswith(("db.query.parameter.", "db.operation.parameter.")):
                return _Kind.TEXTS
            if self._strict and not self._known_allowed.fullmatch(key):
                return _Kind.TEXTS
        return _KINDS.get(key, _Kind.PLAIN)

    def _secret(self, key: str) -> _Kind:
        if not self._names.secret_number(key):
            return _Kind.TEXTS
        return _Kind.SECRET if self._names.secret_flag(key) else _Kind.NUMBERS

    def _names_it(self, key: str) -> bool:
        return self._allowed.fullmatch(key) is not None


def _glob(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """Matches what one of the patterns matches; nothing where there is none."""
    return re.compile("|".join(translate(pattern) for pattern in patterns) or r"(?!)")

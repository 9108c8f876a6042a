"""Which names are those of secrets: of attributes, headers, fields of logs, parameters of a query.

A name is read word by word, so that ``author`` and ``tokenizer`` are not taken for ``auth`` and ``token``,
and by its end, so that ``token_count``, ``gen_ai.usage.input_tokens`` and ``password_reset.url`` are not
taken for secrets. Words that leave a secret what it is (``password_hash``, ``token.value``) do not count.

A number is mostly no secret, whatever it is called, and a truth value hardly ever: `Names.secret_number` and
`Names.secret_flag` want more of a name than `Names.secret`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

__all__ = ["NEUTRAL", "Names", "any_of"]

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
#: Longer names are not remembered.
_LONG: Final = 100
_REMEMBER: Final = 4096


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


#: A name that ends with one of these words is secret, and so is one that ends with such a word glued on.
_GLUED: Final = ("password", "passwd", "passphrase", "passcode", "secret", "apikey", "token", "credentials")
_LAST: Final = _set("""
    accesskey assertion auth authorization bearer connstr cookie cookies credential csrf cvc cvv dsn iban
    jsessionid jwt mfa otp pan pass passport passwords passwort phpsessid pin privatekey psk pw pwd secretkey
    secrets sessid sessionid sig signature ssn totp xsrf
    """)
#: Pairs of words that are secret together: the first, then the last.
_PAIRS: Final = {
    "key": _set("""
        access account admin aes api app application auth client datadog dd encryption hmac license
        master private rsa sas secret security session shared signing ssh subscription webhook
        """),
    "keys": frozenset(["access", "api", "private", "secret", "signing", "ssh"]),
    "tokens": frozenset(["access", "api", "auth", "bearer", "id", "refresh", "session"]),
    "code": frozenset(["auth", "authorization", "card", "pin", "recovery", "security", "verification"]),
    "number": frozenset(["card", "passport", "security", "ssn"]),
    "string": frozenset(["connection"]),
    "security": frozenset(["social"]),
    "card": frozenset(["credit", "debit", "payment"]),
}
#: What may stand behind a secret word, which is meant all the same; a number (``base64``, ``sha256``) may as
#: well.
NEUTRAL: Final = _set("""
    again base bytes confirm confirmation current data encoded encrypted hash hashed header hex md new
    old param plain plaintext previous raw repeat salt sha str string text value values
    """)
#: Words of parameters that are secret besides: signed URLs, OAuth, keys of web APIs.
_PARAMETER: Final = _set("""
    assertion auth authorization code credential credentials jwt key keys otp pass passwd password pin
    pwd samlresponse secret session sessionid sid sig sign signature ticket token
    """)
#: Last words under which a number counts or measures, or is the state of something, and hides nothing.
_COUNTED: Final = _set("""
    assertion auth authorization bearer cookie cookies credentials csrf pan pass passwords secrets sig
    signature xsrf
    """)
#: Words that make a number one of many (``max_token``, ``time_to_first_token``), or a secret's size.
_MEASURED: Final = _set("""
    average avg bytes cached completion cost count counter duration first input last latency length limit max
    mean min minutes ms num output per price prompt rate reasoning remaining score seconds size time total ttl
    usage used
    """)
#: Words that make a truth value tell of a secret instead of being one.
_TOLD: Final = _set("""
    allow allows ask can change changed changing check did does enable enabled expose force forced forget
    forgot forgotten had has have hide include includes is keep must need needs no require required requires
    reset save set should show skip store support supports update updated use used uses valid verify was with
    without wrong
    """)
#: What tells that a code is one of a list, and nobody's secret.
_LISTED: Final = _set("area country currency error http lang language post postal region status zip")


#: What telemetry is found by: never touched, whatever a service may be called.
_IDENTITY: Final = re.compile(
    r"(?:service\.(?:name|namespace|version|instance\.id)|deployment\.environment(?:\.name)?|telemetry\.sdk\..+"
    r"|k8s\.[a-z]+\.(?:name|uid)|container\.(?:id|name)|host\.(?:id|name)|cloud\.[a-z_.]+|http\.route)"
)


class Names:
    """Tells secret names from others, and remembers them.

    Args:
        extra: names that are secret besides the known ones, each matched by the end of a name as they are.

    Attributes:
        endings: words of which one group ends each secret name, but for what does not count behind it.
        hint: finds one of the texts of which one is in the lower-case form of each secret name.
    """

    def __init__(self, extra: Iterable[str] = ()) -> None:
        self._extra = [words for name in extra if (words := words_of(name))]
        pairs = [[before, word] for word, befores in _PAIRS.items() for before in befores]
        self.endings = [*([word] for word in (*_GLUED, *_LAST)), *pairs, ["session", "id"], *self._extra]
        last = {*_GLUED, *_LAST, *_PARAMETER, "session", "upload", *(words[-1] for words in self._extra)}
        # Codes, numbers and texts are everywhere: these are found by what makes them secret.
        last = last - {"code"} | {"code=", "key", *_PAIRS["code"], *_PAIRS["number"], "connection", "social"}
        # A word that holds another one is found by that.
        hints = [word for word in last if not any(word != other and other in word for other in last)]
        self.hint = re.compile(any_of(hints))
        self._known: dict[tuple[str, bool], bool] = {}

    def identity(self, name: str) -> bool:
        """Whether telemetry is found by what stands under this name."""
        return _IDENTITY.fullmatch(name) is not None

    def secret(self, name: str) -> bool:
        """Whether what stands under this name is secret."""
        return self._remembered(name, parameter=False)

    def secret_parameter(self, name: str) -> bool:
        """The same for a parameter of a URL, whose owner nobody knows: rather too often than too rarely."""
        return self._remembered(name, parameter=True)

    def secret_number(self, name: str) -> bool:
        """Whether even a number under this name, which is a secret one, is to be hidden."""
        words = words_of(name)
        return self._is_extra(words) or (_core(words)[-1] not in _COUNTED and _MEASURED.isdisjoint(words))

    def secret_flag(self, name: str) -> bool:
        """Whether even a truth value under this name, which is a secret one, is to be hidden."""
        words = words_of(name)
        return self._is_extra(words) or (_core(words)[-1].endswith(_GLUED) and _TOLD.isdisjoint(words))

    def _remembered(self, name: str, *, parameter: bool) -> bool:
        known = self._known.get((name, parameter))
        if known is None:
            known = self._ends_secret(name) or (parameter and _may_be_secret(name))
            if len(name) <= _LONG:
                if len(self._known) >= _REMEMBER:
                    self._known.clear()
                self._known[name, parameter] = known
        return known

    def _is_extra(self, words: list[str]) -> bool:
        return any(words[-len(extra) :] == extra for extra in self._extra)

    def _ends_secret(self, name: str) -> bool:
        words = words_of(name)
        if self._is_extra(words):
            return True
        if not words:
            return False
        words = _core(words)
        if words[-1] in _LAST or words[-1].endswith(_GLUED) or _pair(words):
            return True
        # `session.id` is an attribute of the conventions; `session_id` is a field, or a cookie.
        return words[-2:] == ["session", "id"] and not name.lower().endswith("session.id")


def _core(words: list[str]) -> list[str]:
    """Without what does not count behind a secret word."""
    end = len(words)
    while end > 1 and (words[end - 1] in NEUTRAL or words[end - 1].isdigit()) and not _pair(words[:end]):
        end -= 1
    return words[:end]


def any_of(texts: Iterable[str]) -> str:
    """The regex of any of the texts; sorted by their first signs, which is twice as quick to search."""
    groups: dict[str, list[str]] = {}
    for text in sorted(set(texts)):
        groups.setdefault(text[0], []).append(re.escape(text[1:]))
    return "|".join(f"{re.escape(first)}(?:{'|'.join(rest)})" for first, rest in groups.items())


def words_of(name: str) -> list[str]:
    """``X-Api-Key``, ``api_key`` and ``apiKey`` alike as lower-case words."""
    return [word.lower() for word in _WORD.findall(name[-_LONG:])]


def _pair(words: list[str]) -> bool:
    return len(words) > 1 and words[-2] in _PAIRS.get(words[-1], ())


def _may_be_secret(name: str) -> bool:
    words = words_of(name)
    if words[-2:] == ["upload", "id"]:  # Google's storage takes whatever comes under it, from anybody
        return True
    for before, word in zip(["", *words], words, strict=False):
        if word in _PARAMETER and not (word == "code" and before in _LISTED):
            return True
        if word.endswith(_GLUED) or word.startswith(("secret", "session", "password")):
            return True
    return False

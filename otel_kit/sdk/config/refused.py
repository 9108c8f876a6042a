"""Shows what was given and cannot be used: whoever wrote it has to recognise it, and nobody learns a secret.

A password may stand in any variable, as a URL in the one for a number.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["HIDDEN", "quoted"]

#: Stands for what may be secret.
HIDDEN: Final = "***"
#: ``user:password@`` without a scheme, which is no shape of a secret elsewhere: so begin rules as well.
_USERINFO: Final = re.compile(
    r"(?<![^\s,;&'\"/])(?!(?:route|name|attribute|header|peer|from):)[^\s/,;'\"]*:[^\s/,;'\"]*@"
)
_QUERY: Final = re.compile(r"(?<=://)([^\s?#'\"]*)[?#][^\s'\"]*")
#: Keys and tokens without a shape: long, without a blank, with more than a few digits.
_KEY: Final = re.compile(r"(?<![\w+/=-])(?=(?:[A-Za-z+/=_-]*[0-9]){4})[\w+/=-]{20,}", re.ASCII)
#: Signs that are looked at, and that are shown: a secret that the end of the first cuts is not in the second.
_LOOKED_AT: Final = 400
_SHOWN: Final = 100


def quoted(value: object) -> str:
    """The value as it would stand in code, clipped, with `HIDDEN` for what may be secret."""
    from otel_kit.sdk.privacy.redact import default_redactor  # a start without faults does without it

    text = (value if isinstance(value, str) else _code(value))[:_LOOKED_AT]
    text = str(default_redactor()("", _QUERY.sub(rf"\1?{HIDDEN}", text)))
    text = _KEY.sub(HIDDEN, _USERINFO.sub(f"{HIDDEN}@", text))
    if len(text) > _SHOWN:
        text = f"{text[:_SHOWN]} ..."
    return repr(text) if isinstance(value, str) else text


def _code(value: object) -> str:
    try:
        return repr(value)
    except Exception:
        return f"<{type(value).__name__}>"

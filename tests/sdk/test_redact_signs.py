"""The quick look at a text lets none by in which the rules would find something."""

from __future__ import annotations

import random
from typing import Final

import pytest

from otel_kit.sdk.privacy import MARK
from otel_kit.sdk.privacy.names import Names
from otel_kit.sdk.privacy.shapes import Shapes

_NAMES: Final = [
    *(
        "password",
        "passwd",
        "token",
        "api_key",
        "apiKey",
        "X-Api-Key",
        "secret",
        "pin",
        "pan",
        "key",
        "access_key",
    ),
    *(
        "connection_string",
        "string",
        "text",
        "hash",
        "value",
        "md5",
        "sha256",
        "base64",
        "plaintext",
        "session_id",
    ),
    *(
        "session",
        "sid",
        "cookie",
        "authorization",
        "code",
        "card_number",
        "auth_code",
        "cvv",
        "shipping",
        "sig",
    ),
    *(
        "monkey",
        "author",
        "token_count",
        "é",
        "K",
        "²",
        "tokené",
        "étoken",
        "social_security",
        "number",
        "user",
    ),
    "customer_ref",
]
_BETWEEN: Final = [
    *("=", ":", ": ", "= ", " = ", "='", '="', '": "', "': '", '", "', "', '", '("', "('", '["', "[", "]"),
    *(
        "(",
        ")",
        "{",
        "}",
        "<",
        ">",
        "</",
        ">x</",
        "==",
        "=>",
        ":=",
        "::",
        "--",
        " --",
        "-",
        "_",
        ".",
        "%",
        "/",
    ),
    *("//", "://", "@", "%40", "?", "&", "#", ",", ";", " ", "  ", "\t", "\n", "\\", '\\"', '"', "'", "b'"),
    *(" is ", "is", "|", "+", "~", "!", "\u3000", "\xa0", "\r\n", "\udcff"),
]
_VALUES: Final = [
    *("hunter2", "abc", "x", "5", "42", "0123456789abcdef", "4111111111111111", "4111 1111 1111 1111"),
    *("4111-1111-1111-1111", "3782 822463 10005", "1234567", "2026-11-24", "null", "None", "true", "eyJ"),
    *("550e8400-e29b-41d4-a716-446655440000", "eyJhbGciOi", ".eyJz", ".sig", "Bearer", "bearer ", "Basic "),
    *("BASIC%20", "dXNlcjpwYXNz", "ghp_", "abcdefghijklmnopqrstuvwxyz0123456789", "AKIA", "IOSFODNN7EXAMPLE"),
    *("AIza", "xoxb-", "xoxe.", "xapp-", "12345678", "sk-", "sk_live_", "rk_test_", "whsec_", "glpat-"),
    *(
        "github_pat_",
        "ya29.",
        "1//0",
        "GOCSPX-",
        "hooks.slack.com/services/",
        "pub",
        "ddapi_",
        "ddog_",
        "npm_",
    ),
    *(
        "0123456789abcdef0123456789abcdef",
        "pypi-",
        "SG.",
        "hf_",
        "dop_v1_",
        "-----BEGIN ",
        "PRIVATE KEY-----",
    ),
    *(
        "-----END ",
        "Failing row contains (",
        "[parameters: ",
        "[SQL: ",
        "LINE 1: ",
        "]\n",
        "Key (",
        ")=(",
        "the",
        "order",
        "GET /a",
    ),
    *("user:pw", "example.com", "ann"),
    *("api ", "Secret ", "value=", '"value": "', "key='", "['x']"),
]


@pytest.mark.parametrize("keys", [(), ("customer_ref",), ("ключ",)])
def test_what_passes_unsearched_would_pass_the_rules(
    keys: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    seed = random.Random(11)
    parts = [*_NAMES, *_BETWEEN, *_BETWEEN, *_VALUES]
    texts = ["".join(seed.choices(parts, k=seed.randint(1, 9))) for _ in range(6_000)]
    shapes = Shapes(Names(keys))
    found = [shapes.clean(text) for text in texts]
    let_by = sum(not shapes._signs.among(text) for text in texts)
    assert list(shapes.clean_all(texts)) == found
    for size in (1, 2, 7, 100):  # what one text holds says nothing of the others
        for begin in range(0, 3_000, size):
            some = slice(begin, begin + size)
            assert list(shapes.clean_all(texts[some])) == found[some]
    assert list(shapes.clean_all([*texts[:500], "a\0b", "\0token=abc123\0"])) == [
        *found[:500],
        "a\0b",
        f"\0token={MARK}",
    ]
    monkeypatch.setattr(shapes._signs, "among", lambda *_: True)
    assert found == [shapes.clean(text) for text in texts]
    changed = sum(text != clean for text, clean in zip(texts, found, strict=True))
    assert changed > 500  # neither always nor never
    assert let_by > 500


def test_looked_at_together_each_text_counts_for_itself() -> None:
    """Few of many texts hold something, as in a batch."""
    seed = random.Random(12)
    parts = [*_NAMES, *_BETWEEN, *_BETWEEN, *_VALUES]
    shapes = Shapes(Names())
    for _ in range(200):
        texts = [f"order {seed.randint(1, 10**9)} was placed" for _ in range(100)]
        chosen = seed.sample(range(100), 3)
        for index in chosen:
            texts[index] = "".join(seed.choices(parts, k=seed.randint(1, 9)))
        assert list(shapes.clean_all(texts)) == [shapes.clean(text) for text in texts]
        assert shapes._signs.among_all(texts) <= set(chosen)


def test_ordinary_texts_are_not_searched() -> None:
    shapes = Shapes(Names())
    for text in (
        *(
            "order 8317 was placed by customer 55 in 31ms",
            "GET /orders/{number}: 200",
            "shipping: 3, pins: 4",
        ),
        *(
            "550e8400-e29b-41d4-a716-446655440000",
            "4bf92f3577b34da6a3ce929d0e0e4736",
            "2026-11-24T22:00:00.123Z",
        ),
        *(
            '{"order": 5, "items": [{"sku": "a-1"}]}',
            "monkey=banana sort_key=name",
            "token_count=5",
            "author: x",
        ),
        'File "/usr/lib/python3.11/site-packages/starlette/routing.py", line 715, in __call__',
    ):
        assert not shapes._signs.among(text), text

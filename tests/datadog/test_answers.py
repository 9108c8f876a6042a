from __future__ import annotations

import pytest

from otel_kit.datadog.answers import errors_of, parse_json, refusal
from otel_kit.errors import ApiError


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"errors": ["a.", "b"]}', ["a", "b"]),
        (b'{"errors": "a"}', ["a"]),
        (b'{"errors": [{"title": "t", "detail": "d"}]}', ["d"]),
        (b'{"error": {"code": "x", "message": "m\\n n"}}', ["m n"]),
        (b"[]", []),
        (b"<html>", []),
        (b"", []),
    ],
)
def test_the_sentences_of_an_error_body(body: bytes, told: list[str]) -> None:
    assert errors_of(body) == told


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (400, b'{"errors": ["bad query"]}', "GET /x was refused with 400: bad query"),
        (401, b"", "GET /x was refused with 401; check the keys: DD_API_KEY, DD_APP_KEY and DD_SITE must"),
        (
            404,
            b"{}",
            "GET /x was answered with 404, not by Datadog's API; a proxy stands in between, or DD_HOST",
        ),
        (429, b"{}", "GET /x was refused with 429; the rate limit lasts: try again later"),
        (500, b"oops", "GET /x was refused with 500; Datadog has a fault: try again"),
        (512, b"", "GET /x was refused with 512; Datadog's edge timed out: try again"),
        (
            502,
            b" <!DOCTYPE html>",
            "GET /x was answered 502 with an HTML page, not by Datadog's API; a proxy",
        ),
        (301, b"", "GET /x was redirected (301), not by Datadog's API; a proxy"),
    ],
)
def test_a_refusal_is_a_sentence_with_a_remedy(status: int, body: bytes, sentence: str) -> None:
    error = refusal("GET /x", status, body)
    assert str(error).startswith(sentence)
    assert error.status == status


def test_a_missing_object_is_no_missing_api() -> None:
    gone = "was refused with 404; it may have been deleted meanwhile: run plan again"
    for path in ("/api/v1/monitor/5", "/api/v1/monitor/5/validate", "/api/v1/dashboard/abc-def-ghi"):
        assert str(refusal(f"PUT {path}", 404, b"{}")) == f"PUT {path} {gone}"
    assert "DD_HOST" in str(refusal("POST /api/v1/monitor/validate", 404, b"{}"))


def test_only_json_is_an_answer() -> None:
    assert parse_json("GET /x", 200, b'{"a": 1}') == {"a": 1}
    with pytest.raises(ApiError, match="GET /x was answered with broken JSON; try again"):
        parse_json("GET /x", 200, b'{"a": ')

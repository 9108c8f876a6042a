"""What is taken out of names and texts, and what is left."""

from __future__ import annotations

from typing import Any

import pytest

from otel_kit.sdk.config.environment import Environment
from otel_kit.sdk.config.privacy import resolve_privacy
from otel_kit.sdk.privacy.redact import make_redactor

#: Made up; each is secret where it stands in a test.
SECRET = "hunter2"
HEX = "0123456789abcdef0123456789abcdef"


def redactor(**environment: str) -> Any:
    env = Environment({f"OTEL_KIT_REDACT{name}": value for name, value in environment.items()})
    made = make_redactor(resolve_privacy(env))
    assert env.problems == []
    return made


REDACT = redactor()


@pytest.mark.parametrize(
    "key",
    [
        *("password", "user.password", "DB_PASSWORD", "password2", "passwordHash", "password.value", "pwd"),
        *("secret", "client_secret", "clientSecret", "token", "access_token", "accessToken", "x-auth-token"),
        *("api_key", "apikey", "X-Api-Key", "apiKey", "aws_secret_access_key", "dd-application-key"),
        *(
            "authorization",
            "proxy-authorization",
            "http.request.header.authorization",
            "cookie",
            "set-cookie",
        ),
        *("http.response.header.set-cookie", "rpc.request.metadata.authorization", "credentials", "jwt"),
        *("session_id", "sessionid", "csrf_token", "card_number", "cvv", "ssn", "private_key", "token.0"),
        *("db.query.parameter.0", "connection_string"),
    ],
)
def test_secret_keys(key: str) -> None:
    assert REDACT(key, SECRET) == "REDACTED"
    assert REDACT(key, [SECRET]) == ["REDACTED"]
    assert REDACT(key, {"a": SECRET}) == "REDACTED"
    assert REDACT(key, b"\xff") == "REDACTED"
    assert REDACT("outer", {key: SECRET, "n": [{key: SECRET}]}) == {key: "REDACTED", "n": [{key: "REDACTED"}]}


@pytest.mark.parametrize(
    "key",
    [
        *(
            "gen_ai.usage.input_tokens",
            "token_count",
            "tokens",
            "max_tokens",
            "token_type",
            "gen_ai.token.type",
        ),
        *("http.route", "session.id", "session_count", "active_sessions", "author", "authority", "passenger"),
        *("tokenizer", "secretary", "monkey", "keyboard", "cache.key", "partition_key", "idempotency-key"),
        *(
            "aws.secretsmanager.secret.arn",
            "password_reset.url",
            "cookie_consent",
            "auth.method",
            "public_key",
        ),
        *(
            "compass",
            "service.name",
            "k8s.pod.name",
            "code.function.name",
            "country_code",
            "http.request.method",
        ),
    ],
)
def test_other_keys(key: str) -> None:
    assert REDACT(key, "hidden") == "hidden"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"logged in with password={SECRET}, id=5", "logged in with password=REDACTED, id=5"),
        (f'{{"password": "{SECRET}", "user": "bob"}}', '{"password": "REDACTED", "user": "bob"}'),
        ('{"password": "hun\\"ter2", "a": 1}', '{"password": "REDACTED", "a": 1}'),
        (f"{{'api_key': '{SECRET}', 'a': 1}}", "{'api_key': 'REDACTED', 'a': 1}"),
        (f'{{\\"token\\": \\"{SECRET}\\"}}', '{\\"token\\": \\"REDACTED\\"}'),
        (f"[(b'cookie', b'id={SECRET}'), (b'host', b'x')]", "[(b'cookie', b'REDACTED'), (b'host', b'x')]"),
        (f"Authorization: Bearer {SECRET}\nHost: x", "Authorization: REDACTED\nHost: x"),
        (f"Cookie: a={SECRET}; b={SECRET}\nHost: x", "Cookie: REDACTED\nHost: x"),
        (f"Server=x;Password={SECRET},x;Database=d", "Server=x;Password=REDACTED;Database=d"),
        (f"mysql --password {SECRET} -v", "mysql --password REDACTED -v"),
        (f"with token {HEX} it", "with token REDACTED it"),
        (f"got Bearer {SECRET}{SECRET}", "got Bearer REDACTED"),
        ("got Basic dXNlcjpodW50ZXIy", "got Basic REDACTED"),
        (f"DD_API_KEY={HEX}", "DD_API_KEY=REDACTED"),
        (f"GET https://me:{SECRET}@h/p?key={SECRET}&x=1#f", "GET https://REDACTED@h/p?key=REDACTED&x=1#f"),
        (f"postgres://me:{SECRET}/@{SECRET}@db:5432/x", "postgres://REDACTED@db:5432/x"),
        (f"redis://:{SECRET}@cache:6379/0", "redis://REDACTED@cache:6379/0"),
        ("to ann.lee+x@example.co.uk.", "to REDACTED."),
        ("/users/ann%40example.com/x", "/users/REDACTED/x"),
        ("jörg@example.com wrote", "REDACTED wrote"),
        ("card 4111 1111 1111 1111, thanks", "card REDACTED, thanks"),
        ("4111-1111-1111-1111", "REDACTED"),
        ("card_4111111111111111", "card_REDACTED"),
        ("amex 3782 822463 10005", "amex REDACTED"),
        (f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{SECRET}", "REDACTED"),
        ("AWS AKIAIOSFODNN7EXAMPLE", "AWS REDACTED"),
        ("AIzaSyA1234567890abcdefghijklmnopqrstu", "REDACTED"),
        ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "REDACTED"),
        ("xoxb-1234567890-abcdef", "REDACTED"),
        (f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY-----\nok", "REDACTED\nok"),
        (f"-----BEGIN PRIVATE KEY-----\n{SECRET}", "REDACTED"),
        (f"Key (email)=({SECRET}) exists\n[parameters: ('a', '{SECRET}')]", None),
        (f"Failing row contains (1, {SECRET}).", None),
        (
            f"no such table\n[SQL: SELECT a[1]\nFROM t WHERE b = '{SECRET}']\n(Background on this error)",
            "no such table\n[SQL: SELECT a[?]\nFROM t WHERE b = ?]\n(Background on this error)",
        ),
        (f"no relation\nLINE 12: WHERE a = '{SECRET}'\n     ^", "no relation\nLINE 12: WHERE a = ?\n     ^"),
        (f"<a><password>{SECRET}</password></a>", "<a><password>REDACTED</password></a>"),
        (f'<ns:apiKey x="1">{SECRET}</ns:apiKey>', '<ns:apiKey x="1">REDACTED</ns:apiKey>'),
        (f"<secret><![CDATA[{SECRET}]]></secret>", "<secret>REDACTED</secret>"),
        (f'Authorization: Digest username="{SECRET}", realm="b"', "Authorization: REDACTED"),
        (f"password_sha256={SECRET}", "password_sha256=REDACTED"),
        (f'{{"password": ["{SECRET}", "{SECRET}"], "n": 1}}', '{"password": [REDACTED], "n": 1}'),
        (f"Invalid API key: {SECRET}", "Invalid API key: REDACTED"),
        (f"_Metadatum(key='x-api-key', value='{SECRET}')", "_Metadatum(key='x-api-key', value='REDACTED')"),
        (f'{{"name": "password", "value": "{SECRET}"}}', '{"name": "password", "value": "REDACTED"}'),
    ],
)
def test_secret_shapes(text: str, left: str | None) -> None:
    found = REDACT("message", text)
    assert SECRET not in found
    assert left in (None, found)
    assert REDACT("message", found) == found
    assert REDACT("exception.stacktrace", f"x\n  {text}\ny") != f"x\n  {text}\ny"


@pytest.mark.parametrize(
    "text",
    [
        *("GET", "/orders/{number}", "127.0.0.1:8080", "2026-11-24T22:00:00.123Z", "python-requests/2.31"),
        *(
            "550e8400-e29b-41d4-a716-446655440000",
            HEX,
            "1732480000000000000",
            "4111111111111112",
            "0.4111111111111111",
        ),
        *("user@localhost", "@app.get", "http://h:8080/users/@me", "basic authentication is needed"),
        *(
            "bearer token is missing",
            "password=None, token=null, secret=''",
            "std::token::parse",
            "token count: 5",
        ),
        *(
            "used 50 tokens",
            "input_tokens=120 output_tokens=7",
            "session count 5",
            "author: bob",
            "order 7 in 35 ms",
        ),
        *("SELECT 1", "key: value", "line 12, in place", 'KeyError: "x"', "", "x" * 100),
        *(
            "pass: 3, fail: 4",
            "shipping: 3",
            "monkey=banana",
            "auth: ok",
            "SyntaxError: unexpected token: '}'",
        ),
        *(
            "session started",
            f"session {HEX} started",
            "image sha256:" + HEX * 2,
            "2001:db8:85a3::8a2e:370:7334",
        ),
        *(
            "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "v1.2.3-rc1+build.5",
            "enter the pin code now",
        ),
        *(
            "<token>\n",
            "<author>bob</author>",
            "order 2026112400001234 shipped",
            "desk-0123456789abcdefghijk",
        ),
    ],
)
def test_other_texts(text: str) -> None:
    assert REDACT("message", text) == text


@pytest.mark.parametrize(
    ("statement", "left"),
    [
        (
            "SELECT a FROM t1 WHERE b = 'it''s' AND c=5 LIMIT 10",
            "SELECT a FROM t1 WHERE b = ? AND c=? LIMIT ?",
        ),
        (
            "WHERE a = $1 AND b = :x AND c = %(p)s AND d = ?",
            "WHERE a = $1 AND b = :x AND c = %(p)s AND d = ?",
        ),
        ("SELECT 1 -- don't\nWHERE a = 'x'", "SELECT ?  \nWHERE a = ?"),
        ("SELECT $$x$$, $t$x$t$, x'ff', -1.5e3, b.c", "SELECT ?, ?, ?, -?, b.c"),
        (r"SELECT 'x\' AND b = 'y'", "SELECT ?"),
        ('INSERT INTO "t" ("a") VALUES ("x")', 'INSERT INTO "t" ("a") VALUES (?)'),
        ('SELECT "a" FROM `t` WHERE b = "x"', "SELECT ? FROM `t` WHERE b = ?"),
        ('SELECT "a" FROM "t" WHERE "b" = "x"', 'SELECT "a" FROM "t" WHERE "b" = ?'),
        ('{"find":"users","filter":{"name":"x","n":5}}', '{"find":?,"filter":{"name":?,"n":?}}'),
        ("SET password = 'x", "SET password = ?"),
    ],
)
def test_statements_lose_their_literals(statement: str, left: str) -> None:
    assert REDACT("db.query.text", statement) == left
    assert REDACT("db.statement", statement) == left


def test_query_strings_and_urls() -> None:
    query = "a=1&X-Goog-Signature=x&api%5Fkey=y&flag&b=&to=https%3A%2F%2Fx%3Ftoken%3Dz&m=a%40b.com&zip_code=1"
    left = "a=1&X-Goog-Signature=REDACTED&api%5Fkey=REDACTED&flag&b=&to=REDACTED&m=REDACTED&zip_code=1"
    assert REDACT("url.query", query) == left
    assert REDACT("url.full", f"https://u:p@h/x?{query}") == f"https://REDACTED@h/x?{left}"
    assert (
        REDACT("url.full", "https://h/o?uploadType=a&upload_id=b")
        == "https://h/o?uploadType=a&upload_id=REDACTED"
    )


def test_what_telemetry_is_found_by_stays() -> None:
    for key in ("service.name", "service.instance.id", "deployment.environment.name", "http.route"):
        assert REDACT(key, "ann@example.com") == "ann@example.com"

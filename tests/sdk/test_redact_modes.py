"""Modes of redaction, and what would break it or take it forever."""

from __future__ import annotations

import random
import string
import sys
import time
from typing import Any

import pytest

from otel_kit.sdk.config.environment import Environment
from otel_kit.sdk.config.privacy import resolve_privacy
from otel_kit.sdk.privacy.redact import make_redactor
from otel_kit.sdk.privacy.settings import PrivacySettings
from tests.parts import start
from tests.sdk.run import endpoint, lines
from tests.sdk.sink import running_sink
from tests.sdk.test_redact import HEX, REDACT, redactor


def test_allow_list() -> None:
    redact = redactor(**{"": "allow-list", "_ALLOW": "order.*, cart, api_key_hint"})
    assert redact("customer", "bob") == "REDACTED"
    assert redact("message", "hello") == "REDACTED"
    assert redact("order.id", "7") == "7"
    assert redact("order.note", "password=x") == "password=REDACTED"
    assert redact("cart", {"item": "pen", "token": "x", "n": 1}) == {
        "item": "pen",
        "token": "REDACTED",
        "n": 1,
    }
    assert redact("http.route", "/x") == "/x"
    assert redact("service.name", "shop") == "shop"
    assert redact("n", 5) == 5


ALLOW_LIST = """
import logging
import otel_kit
otel_kit.init(service="shop")
logging.getLogger("shop").warning("hello %s", "world", extra={"colour": "blue"})
logging.getLogger("otel_kit_of_another").warning("not ours")
"""


@pytest.mark.parametrize(("allow", "message"), [("", "REDACTED"), ("message", "hello world")])
def test_log_messages_by_a_list_of_allowed_keys(allow: str, message: str) -> None:
    env = {"OTEL_KIT_REDACT": "allow-list", "OTEL_KIT_REDACT_ALLOW": allow}
    with running_sink() as sink, start([sys.executable, "-c", ALLOW_LIST], env=endpoint(sink) | env) as part:
        assert part.wait() == 0, part.output()
        found = {line["logger.name"]: line for line in lines(part)}
    assert (found["shop"]["message"], found["shop"]["colour"]) == (message, "REDACTED")
    assert found["otel_kit_of_another"]["message"] == message.replace("hello world", "not ours")
    assert "at the end flushed 2 and dropped 0 items" in found["otel_kit"]["message"]
    assert message in sink.seen.bodies()


def test_own_keys_and_patterns() -> None:
    redact = redactor(_KEYS="customer_ref", _PATTERNS=r"EMP-\d{1,6},[x,y]z", _ALLOW="deploy_token")
    assert redact("shop.customerRef", "7") == "REDACTED"
    assert (
        redact("message", "EMP-123 and yz, customer_ref=7") == "REDACTED and REDACTED, customer_ref=REDACTED"
    )
    assert redact("deploy_token", "blue") == "blue"


def test_a_wrong_regex_is_one_problem() -> None:
    env = Environment({"OTEL_KIT_REDACT_PATTERNS": "(a, b*, c+", "OTEL_KIT_REDACT": "some"})
    settings = resolve_privacy(env)
    assert [pattern.pattern for pattern in settings.patterns] == ["c+"]
    assert settings.mode == "default"
    assert len(env.problems) == 3


def test_off() -> None:
    assert make_redactor(PrivacySettings(mode="off")) is None


class Broken:
    def __str__(self) -> str:
        raise ValueError("password=hunter2")


def test_it_never_raises() -> None:
    circle: list[Any] = ["password=hunter2"]
    circle.append(circle)
    assert "hunter2" not in str(REDACT("x", circle))
    assert "hunter2" not in str(REDACT("x", Broken()))
    assert REDACT("x", {Broken(): "a", ("t",): "ann@example.com"})
    assert REDACT("x", "\udcff password=hunter2") == "\udcff password=REDACTED"
    seed = random.Random(7)
    signs = string.printable + "é@=:'\"\\-"
    for _ in range(500):
        text = "".join(seed.choices(signs, k=40)) + f" password={HEX} " + "".join(seed.choices(signs, k=40))
        for key in ("message", "url.query", "url.full", "db.query.text"):
            assert isinstance(REDACT(key, text), str)


@pytest.mark.parametrize("key", ["message", "url.query", "url.full", "db.query.text"])
def test_hostile_texts_take_linear_time(key: str) -> None:
    """Ten times the length takes about ten times as long; not a hundred times."""
    units = ["a", "a@", "a.", "eyJ", "eyJ.", "1 ", "4", "4444 ", "token", "token=", "token is ", 'secret="a']
    units += [
        "://a:b",
        "://",
        "-----BEGIN PRIVATE KEY-----",
        "%40a",
        " ",
        "--a ",
        "Key (",
        "[parameters: (",
        "é",
    ]
    units += [
        "ghp_",
        "sk-",
        "'",
        "\\",
        "\0",
        ";b",
        "token=&",
        "Basic ",
        "é@",
        "SG.",
        "cookie:",
        "?",
        "a%40",
        "$a$",
    ]
    units += [
        "<token>",
        "<token ",
        "</token>",
        "=hash",
        "text_",
        "token 0123456789abcdef ",
        "_",
        "?token",
        "is ",
    ]
    for unit in units:
        for text in (unit * (30_000 // len(unit)), "password=" + unit * (30_000 // len(unit)) + "@"):
            began = time.thread_time()
            REDACT(key, text)
            assert time.thread_time() - began < 5, unit


def test_nothing_secret_leaves_a_process() -> None:
    with (
        running_sink() as sink,
        start([sys.executable, "-m", "tests.sdk.apps.secrets"], env=endpoint(sink)) as part,
    ):
        assert part.wait() == 0, part.output()
        output, told = part.output(), lines(part)
    seen = sink.seen
    (span,), logs = seen.spans, [log for log in seen.logs if log.scope == "shop"]
    assert "hunter2" not in repr(seen.spans) + repr(seen.logs) + repr(seen.points)
    assert span.name == "GET https://REDACTED@example.org/x?token=REDACTED&page=1"
    assert span.attributes["gen_ai.usage.input_tokens"] == 42
    assert span.attributes["mails"] == ["REDACTED", "x"]
    assert span.attributes["db.query.text"] == "SELECT ?"
    assert span.message == "password=REDACTED"
    assert [log.body for log in logs] == ["with password=REDACTED", "failed"]
    assert logs[0].attributes["nested"] == {"token": "REDACTED", "n": 7}
    assert (span.resource["service.name"], span.resource["service.version"]) == ("secrets", "1.2.3")
    assert (span.resource["api_key"], span.resource["owner.email"]) == ("REDACTED", "REDACTED")
    assert seen.named("uses")[0].attributes == {"token": "REDACTED", "mail": "REDACTED"}
    said = [line for line in told if line.get("logger.name") == "shop"]
    assert "hunter2" not in output
    assert said[0]["message"] == "with password=REDACTED"
    assert said[0]["nested"] == {"token": "REDACTED", "n": 7}
    assert said[0]["service"] == "secrets"

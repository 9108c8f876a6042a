"""Numbers, truth values and lists: secret where their name leaves no doubt, and counts where it does not."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from otel_kit.sdk.privacy.redact import make_redactor
from otel_kit.sdk.privacy.settings import PrivacySettings
from tests.parts import start
from tests.sdk.run import endpoint, lines
from tests.sdk.sink import running_sink


def redact(key: str, value: Any, settings: PrivacySettings = PrivacySettings()) -> Any:  # noqa: B008
    made = make_redactor(settings)
    assert made is not None
    return made(key, value)


@pytest.mark.parametrize(
    "key",
    ["password", "user.password", "dbPassword", "auth_token", "client_secret", "api_key", "password_hash"],
)
@pytest.mark.parametrize("value", [12345, 12.5, -1, 0])
def test_numbers_of_unmistakable_names(key: str, value: float) -> None:
    assert redact(key, value) == "REDACTED"
    assert redact(key, [value]) == ["REDACTED"]
    assert redact("outer", {key: value}) == {key: "REDACTED"}


@pytest.mark.parametrize(
    "key", ["pin", "otp", "mfa", "cvv", "ssn", "card_number", "security_code", "session_id"]
)
def test_what_is_mostly_digits(key: str) -> None:
    assert redact(key, 1234) == "REDACTED"
    assert redact(key, True) is True


@pytest.mark.parametrize(
    "key",
    [
        *("token_count", "max_tokens", "tokens", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"),
        *(
            "usage.input_tokens",
            "max_token",
            "time_to_first_token",
            "cost_per_token",
            "input_token",
            "token_bytes",
        ),
        *("cookies", "passwords", "secrets", "pass", "render.pass", "auth", "signature", "session.id", "pan"),
        *("order.number", "db.query.parameter.0"),
    ],
)
@pytest.mark.parametrize("value", [7, 0.5])
def test_counts_and_measures_stay(key: str, value: float) -> None:
    assert redact(key, value) is value


def test_truth_values() -> None:
    assert redact("password", True) == redact("token", False) == "REDACTED"
    for key in ("has_password", "user.password_changed.token_valid", "use_token", "isSecret", "auth", "mfa"):
        assert redact(key, True) is True
    assert redact("password", None) is None


def test_lists_and_mappings_of_secrets() -> None:
    assert redact("tokens", ["a", "b"]) == redact("authTokens", ("a", "b")) == ["REDACTED", "REDACTED"]
    assert redact("tokens", ["a", 3]) == ["REDACTED", 3]
    assert redact("gen_ai.usage.output_tokens", [12, 30]) == [12, 30]
    assert redact("passwords", [1234, "x"]) == redact("pins", [1234, 5]) == ["REDACTED", "REDACTED"]
    assert redact("tokens", {"input": 12, "access": "x"}) == {"input": 12, "access": "REDACTED"}
    assert redact("classes", ["a"]) == ["a"]
    assert redact("tokens", ["a"], PrivacySettings(allow=("tokens",))) == ["a"]


def test_numbers_of_cards() -> None:
    assert redact("card", 4111111111111111) == redact("x", [4111111111111111])[0] == "REDACTED"
    for number in (4111111111111112, 1_700_000_000_000_000_000, 2**63, 10**12, 1_700_000_000_000):
        assert redact("x", number) is number


def test_names_that_the_service_calls_secret() -> None:
    settings = PrivacySettings(keys=("badge", "flag"))
    for key, value in (("badge", 1234), ("user.badge", 1.5), ("flag", True), ("badge", [1])):
        assert "REDACTED" in str(redact(key, value, settings))
    assert redact("badge_count", 3, settings) == 3


def test_numbers_by_a_list_of_allowed_keys() -> None:
    settings = PrivacySettings(mode="allow-list", allow=("pin",))
    assert redact("order.number", 7, settings) == 7
    assert redact("password", 7, settings) == redact("password", {"of": 7}, settings) == "REDACTED"
    assert redact("pin", 1234, settings) == 1234


SERVICE = """
import logging
import otel_kit
from opentelemetry import metrics, trace
otel_kit.init(service="shop")
with trace.get_tracer("t").start_as_current_span("s") as span:
    span.set_attributes({"password": 8812345, "token_count": 3, "tokens": ["8812345"]})
    span.add_event("e", {"auth_token": 8812345})
    logging.getLogger("x").warning("hello", extra={"password": 8812345, "pins": [8812345], "max_tokens": 5})
metrics.get_meter("t").create_counter("c").add(1, {"password": 8812345, "max_tokens": 4})
"""


def test_all_signals_and_stdout() -> None:
    with running_sink() as sink, start([sys.executable, "-c", SERVICE], env=endpoint(sink)) as part:
        assert part.wait() == 0, part.output()
        (line,) = [line for line in lines(part) if line["message"] == "hello"]
        assert (line["password"], line["pins"], line["max_tokens"]) == ("REDACTED", ["REDACTED"], 5)
        assert "8812345" not in part.output()
    (span,), (record,) = sink.seen.spans, sink.seen.logs
    assert span.attributes["password"] == "REDACTED"
    assert (span.attributes["tokens"], span.attributes["token_count"]) == (["REDACTED"], 3)
    assert span.events == [("e", {"auth_token": "REDACTED"})]
    assert (record.attributes["password"], record.attributes["max_tokens"]) == ("REDACTED", 5)
    assert sink.seen.named("c")[0].attributes == {"password": "REDACTED", "max_tokens": 4}

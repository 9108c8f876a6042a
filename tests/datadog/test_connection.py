from __future__ import annotations

import pytest

from otel_kit.datadog.api import Datadog
from otel_kit.datadog.connection import configuration_from
from otel_kit.errors import ApiError, InputError

KEYS = {"DD_API_KEY": "a" * 32, "DD_APP_KEY": "b" * 40}


@pytest.mark.parametrize(
    ("environment", "host"),
    [
        (KEYS, "https://api.datadoghq.com"),
        ({**KEYS, "DD_SITE": "datadoghq.eu"}, "https://api.datadoghq.eu"),
        ({**KEYS, "DD_HOST": "http://127.0.0.1:8080/"}, "http://127.0.0.1:8080"),
        ({**KEYS, "DD_HOST": "http://localhost:1", "DD_SITE": "nowhere"}, "http://localhost:1"),
        ({**KEYS, "DD_HOST": "https://proxy.example.com/dd"}, "https://proxy.example.com/dd"),
    ],
)
def test_where_the_api_is(environment: dict[str, str], host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DD_SITE", raising=False)
    configuration = configuration_from(environment)
    assert configuration.host == host
    assert configuration.api_key == {"apiKeyAuth": "a" * 32, "appKeyAuth": "b" * 40}


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({}, "the environment variable DD_API_KEY is not set; export DD_API_KEY=..."),
        ({**KEYS, "DD_APP_KEY": " "}, "the environment variable DD_APP_KEY is not set"),
        ({**KEYS, "DD_API_KEY": "a\nb"}, "the environment variable DD_API_KEY is not a key"),
        (
            {**KEYS, "DD_SITE": "datadoghq.org"},
            "DD_SITE: 'datadoghq.org' is not a Datadog site; did you mean",
        ),
        ({**KEYS, "DD_HOST": "127.0.0.1:8080"}, "DD_HOST: '127.0.0.1:8080' is not a URL; give a URL such as"),
        ({**KEYS, "DD_HOST": "http://[::1"}, "DD_HOST: 'http://[::1' is not a URL"),
        ({**KEYS, "DD_HOST": "http://a:port"}, "DD_HOST: 'http://a:port' is not a URL"),
        (
            {**KEYS, "DD_HOST": "https://user:pw@h/"},
            "DD_HOST must be no more than scheme, host, port and path",
        ),
        (
            {**KEYS, "DD_HOST": "http://example.com"},
            "DD_HOST: the keys would go to 'example.com' unencrypted",
        ),
    ],
)
def test_a_bad_environment_is_one_sentence(
    environment: dict[str, str], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DD_SITE", raising=False)
    with pytest.raises(InputError) as caught:
        configuration_from(environment)
    assert str(caught.value).startswith(sentence)
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "sentence"),
    [
        ("http://127.0.0.1:9", "connection refused; check DD_HOST or DD_SITE, and the network"),
        ("https://no-such-host.invalid", "the host name is not known; check DD_HOST"),
    ],
)
def test_nobody_there_is_one_sentence(host: str, sentence: str) -> None:
    api = Datadog({**KEYS, "DD_HOST": host}, told=print, pause=0.01)
    with pytest.raises(ApiError) as caught:
        api.read("monitor", frozenset())
    assert str(caught.value).startswith(f"GET {host}/api/v1/monitor: {sentence}")

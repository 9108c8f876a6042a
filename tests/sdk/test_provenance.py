"""Each setting says where its value came from, and nothing secret is among them."""

from __future__ import annotations

from typing import Any

import pytest

from otel_kit.sdk.config.arguments import Arguments
from otel_kit.sdk.config.settings import Settings, resolve


def settings(environ: dict[str, str] | None = None, **arguments: Any) -> Settings:
    """Settings of a host called ``host``."""
    return resolve(Arguments(**arguments), environ or {}, host="host")


def origins(environ: dict[str, str] | None = None, **arguments: Any) -> dict[str, tuple[str, str]]:
    """Setting -> its value and its source."""
    return {o.setting: (o.value, o.source) for o in settings(environ, **arguments).origins}


#: Argument -> (value of the argument, text of its variable, other variables, how to see it)
PRECEDENCE: list[tuple[str, Any, str, dict[str, str], str]] = [
    ("service", "arg", "kit", {"OTEL_SERVICE_NAME": "otel", "DD_SERVICE": "dd"}, "service.name"),
    ("env", "arg", "kit", {"DD_ENV": "dd"}, "deployment.environment.name"),
    ("version", "arg", "kit", {"DD_VERSION": "dd"}, "service.version"),
    (
        "endpoint",
        "http://arg:1",
        "http://kit:1",
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://otel:1", "HOST_IP": "10.0.0.9"},
        "endpoint",
    ),
    ("logs", "none", "otlp", {"OTEL_LOGS_EXPORTER": "none"}, "logs"),
    ("traces", True, "false", {"OTEL_TRACES_EXPORTER": "otlp"}, "traces"),
    ("metrics", False, "true", {"OTEL_METRICS_EXPORTER": "none"}, "metrics"),
    ("log_level", "ERROR", "DEBUG", {}, "log_level"),
    ("metric_interval", 7.0, "5", {"OTEL_METRIC_EXPORT_INTERVAL": "3000"}, "metric_interval"),
    ("shutdown_timeout", 0.0, "5", {}, "shutdown_timeout"),
    ("health_routes", ["/a"], "/b", {}, "health_routes"),
    ("instrument", ["grpc"], "fastapi", {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "*"}, "instrument"),
]


@pytest.mark.parametrize(("name", "argument", "own", "others", "setting"), PRECEDENCE)
def test_argument_over_own_variable_over_those_of_others(
    name: str, argument: Any, own: str, others: dict[str, str], setting: str
) -> None:
    variable = f"OTEL_KIT_{name.upper()}"
    environ = {"OTEL_KIT_SERVICE": "s", variable: own, **others}
    said = origins(environ, **{name: argument})[setting]
    assert said[1] == "argument"
    assert origins(environ)[setting] == (own, variable)
    assert said[0] != own
    for other in list(others):
        environ.pop(variable, None)
        found = origins(environ).get(setting, ("", ""))
        assert found[1] != variable
        if setting in ("service.name", "endpoint", "deployment.environment.name"):
            assert found[1] == other
        environ.pop(other)


def test_values_of_single_signals_and_what_was_detected() -> None:
    found = origins(
        {
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t:1",
            "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL": "grpc",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "5000",
            "POD_NAME": "bff-1",
            "POD_UID": "uid",
            "NODE_IP": "10.0.0.9",
        },
        service="s",
    )
    assert found["traces_endpoint"] == ("http://t:1", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    assert found["logs_protocol"] == ("grpc", "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL")
    assert found["traces_protocol"] == ("http/protobuf", "default")
    assert found["traces_timeout"] == ("5 (read as milliseconds)", "OTEL_EXPORTER_OTLP_TIMEOUT")
    assert found["k8s.pod.name"] == ("bff-1", "POD_NAME")
    assert found["service.instance.id"] == ("uid", "detected")
    assert found["endpoint"][1] == "NODE_IP"


def test_a_value_that_cannot_be_used_came_from_nowhere() -> None:
    found = origins({"OTEL_KIT_SHUTDOWN_TIMEOUT": "soon", "HOST_IP": "http://x"}, service="s")
    assert found["shutdown_timeout"] == ("3", "default")
    assert found["endpoint"] == ("http://localhost:4318", "default")


def test_one_attribute_at_a_time_has_the_precedence() -> None:
    environ = {
        "OTEL_KIT_RESOURCE_ATTRIBUTES": "team=kit",
        "OTEL_RESOURCE_ATTRIBUTES": "team=otel,region=otel",
        "DD_TAGS": "team:dd region:dd tier:dd",
    }
    found = origins(environ, service="s", resource_attributes={"owner": "arg"})
    assert {key: found[key] for key in ("owner", "team", "region", "tier")} == {
        "owner": ("arg", "argument"),
        "team": ("kit", "OTEL_KIT_RESOURCE_ATTRIBUTES"),
        "region": ("otel", "OTEL_RESOURCE_ATTRIBUTES"),
        "tier": ("dd", "DD_TAGS"),
    }


@pytest.mark.parametrize(
    ("environ", "arguments"),
    [
        ({"OTEL_EXPORTER_OTLP_HEADERS": "dd-api-key=s3cret"}, {}),
        ({"OTEL_KIT_HEADERS": "dd-api-key=s3cret"}, {}),
        ({}, {"headers": {"dd-api-key": "s3cret"}}),
        ({}, {"endpoint": "http://me:s3cret@c:4318/?token=s3cret"}),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://me:s3cret@c:4318"}, {}),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "me:s3cret@c:4318"}, {}),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://me:s3cret@[c:4318"}, {}),
        ({"OTEL_KIT_ENDPOINT": "http:/me:s3cret@c"}, {}),
        ({"OTEL_EXPORTER_OTLP_HEADERS": "Authorization: Basic s3cret=="}, {}),
        ({"OTEL_EXPORTER_OTLP_HEADERS": "s3cret=="}, {}),
        ({"OTEL_RESOURCE_ATTRIBUTES": "db.password=s3cret"}, {}),
        ({"DD_TAGS": "api_key:s3cret"}, {}),
        ({}, {"resource_attributes": {"auth.token": "s3cret"}}),
    ],
)
def test_secrets_are_never_shown(environ: dict[str, str], arguments: dict[str, Any]) -> None:
    found = settings(environ, service="s", **arguments)
    assert "s3cret" not in str(found.origins)
    assert "s3cret" not in str(found.problems)
    if "dd-api-key" in str(environ) + str(arguments):
        assert {o.value for o in found.origins if o.setting.endswith("headers")} == {"dd-api-key"}
        assert {t.headers["dd-api-key"] for t in found.targets.values()} == {"s3cret"}


def test_lists_with_an_at_are_shown_as_they_are() -> None:
    trust, patterns = "header:x-a@link; peer:10.0.0.0/8@all; link", "[a-z]+@shop,a{2,3}"
    found = origins({"OTEL_KIT_TRUST": trust, "OTEL_KIT_REDACT_PATTERNS": patterns})
    assert found["trust"] == (trust.replace("; ", ", "), "OTEL_KIT_TRUST")
    assert found["redact_patterns"] == (patterns.replace(",a", ", a"), "OTEL_KIT_REDACT_PATTERNS")


def test_own_headers_win_over_general_ones() -> None:
    environ = {"OTEL_EXPORTER_OTLP_HEADERS": "a=1,b=1,c=1", "OTEL_KIT_HEADERS": "b=2,c=2"}
    headers = settings(environ, service="s", headers={"c": "3"}).targets["traces"].headers
    assert dict(headers) == {"a": "1", "b": "2", "c": "3"}


def test_headers_win_however_their_names_are_spelt() -> None:
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://me:word@c:4318",
        "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=general,X-Team=a",
        "OTEL_KIT_HEADERS": "AUTHORIZATION=own",
    }
    assert settings(environ).targets["logs"].headers == {"authorization": "own", "x-team": "a"}
    headers = settings(environ, headers={"authorization": "said"}).targets["logs"].headers
    assert headers == {"authorization": "said", "x-team": "a"}


def test_the_old_name_of_the_environment_counts_in_code_as_well() -> None:
    found = origins({"DD_ENV": "dd"}, resource_attributes={"deployment.environment": "code"})
    assert found["deployment.environment.name"] == ("code", "argument")

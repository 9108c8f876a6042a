"""Each setting says where its value came from, and nothing secret is among them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from otel_kit.errors import InputError
from otel_kit.sdk.config import settings as module
from otel_kit.sdk.config.arguments import Arguments, check
from otel_kit.sdk.config.settings import Settings, resolve
from otel_kit.sdk.config.targets import is_endpoint
from otel_kit.sdk.config.unreadable import LIMITS
from otel_kit.sdk.config.unused import OWN


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


#: Variable -> what cannot be used there, and what is in force instead.
REFUSED = {
    "OTEL_ATTRIBUTE_COUNT_LIMIT": ("many", None),
    "OTEL_EXPORTER_OTLP_ENDPOINT": ("ftp://c", ("http://localhost:4318", "default")),
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": ("ftp://c", None),
    "OTEL_TRACES_SAMPLER": ("sometimes", ("parentbased_always_on", "default")),
    "OTEL_PROPAGATORS": ("smoke", ("tracecontext, baggage", "default")),
    "OTEL_KIT_EXTRACT": ("gcp,smoke", ("gcp", "OTEL_KIT_EXTRACT")),
    "OTEL_KIT_INSTRUMENT": ("grpc,smoke", ("grpc", "OTEL_KIT_INSTRUMENT")),
    "OTEL_KIT_HEALTH_ROUTES": ("/up,down", ("/up", "OTEL_KIT_HEALTH_ROUTES")),
    "OTEL_KIT_SAMPLING": ("route:/a@0.1;route:/b@smoke", ("route:/a@0.1", "OTEL_KIT_SAMPLING")),
    "OTEL_KIT_TRUST": ("route:/a@all;route:/b@smoke", ("route:/a@all, link", "OTEL_KIT_TRUST")),
    "OTEL_KIT_LOG_LIMITS": ("a=10/s,b=smoke", ("a=10/s", "OTEL_KIT_LOG_LIMITS")),
    "OTEL_KIT_REDACT_PATTERNS": ("a{2},(smoke", ("a{2}", "OTEL_KIT_REDACT_PATTERNS")),
    "OTEL_KIT_BAGGAGE_ATTRIBUTES": ("tenant,smoke*", ("tenant", "OTEL_KIT_BAGGAGE_ATTRIBUTES")),
    "OTEL_KIT_HEADERS": ("a=1,smoké=2", ("a", "OTEL_KIT_HEADERS")),
    "OTEL_PYTHON_EXCLUDED_URLS": ("/a,(smoke", ("/a", "OTEL_PYTHON_EXCLUDED_URLS")),
    "OTEL_KIT_METRIC_INTERVAL": ("0.5", ("1", "OTEL_KIT_METRIC_INTERVAL")),
    "OTEL_METRIC_EXPORT_INTERVAL": ("1e300", ("86400", "OTEL_METRIC_EXPORT_INTERVAL")),
    "OTEL_KIT_METRIC_CARDINALITY_LIMIT": ("0.5", ("2000", "default")),
    "OTEL_METRICS_EXEMPLAR_FILTER": ("smoke", ("trace_based", "default")),
}


@pytest.mark.parametrize("variable", REFUSED)
def test_what_is_refused_is_in_the_problem_alone(variable: str) -> None:
    given, in_force = REFUSED[variable]
    environ = {variable: given}
    found = settings(environ, service="s")
    if variable != "OTEL_METRIC_EXPORT_INTERVAL":  # which is only capped
        (problem,) = found.problems
        what, semicolon, fix = problem.rpartition("; ")
        assert variable in what, problem
        assert semicolon
        assert fix
    shown = {o.setting: (o.value, o.source) for o in found.origins}
    others = {o.setting: (o.value, o.source) for o in settings(service="s").origins}
    changed = {setting: value for setting, value in shown.items() if others.get(setting) != value}
    assert list(changed.values()) == ([in_force] if in_force and in_force[1] != "default" else [])
    if in_force:
        assert in_force in shown.values()


SECRETS = {
    "a URL": "http://me:hunter2@h:1/?token=hunter2",
    "without a scheme": "me:hunter2@h",
    "a header": "Bearer hunter2hunter2",
    "a name": "password=hunter2",
    "a key": "hunter20123456789abcdef",
    "a long key": "hunter2" * 2000,
    "in a list": "a, http://me:hunter2@h, b",
    "in rules": "route:/x@http://me:hunter2@h; *@password=hunter2",
}


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_a_secret_in_the_wrong_variable_is_in_no_problem(secret: str) -> None:
    names = set(re.findall(r"\bOTEL_[A-Z0-9_]*[A-Z0-9]\b", module.__doc__ or "")) | OWN | set(LIMITS)
    assert len(names) > 50
    for name in sorted(names):
        # As in messages of the library, and in the lines of `otel-kit doctor` about them.
        assert "hunter2" not in str(settings({name: secret}, service="s").problems), name


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_a_secret_in_the_wrong_argument_is_in_no_message(secret: str) -> None:
    wrong: list[dict[str, Any]] = [
        {name: secret}
        for name in (
            *("endpoint", "protocol", "traces", "metrics", "logs", "log_level", "sampling"),
            *("metric_interval", "shutdown_timeout", "health_routes", "instrument", "headers"),
        )
    ]
    wrong += [
        {"health_routes": [secret]},
        {"instrument": [secret]},
        {"headers": {secret + "é": "x"}},
        {"resource_attributes": {secret: None}},
        {"service": [secret]},
    ]
    for arguments in wrong:
        if "endpoint" in arguments and is_endpoint(secret):
            continue  # that is where it belongs
        with pytest.raises(InputError) as raised:
            check(Arguments(**arguments))
        assert "hunter2" not in str(raised.value), arguments
        assert "; " in str(raised.value), "what to do"

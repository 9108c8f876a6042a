"""Arguments and variables that cannot be used, and variables that do nothing."""

from __future__ import annotations

import math
import random
import re
from typing import Any

import pytest

from otel_kit.errors import InputError
from otel_kit.sdk.config import settings as module
from otel_kit.sdk.config.arguments import Arguments
from otel_kit.sdk.config.settings import resolve
from otel_kit.sdk.config.unused import DDTRACE
from otel_kit.sdk.delivery.senders import make_sender
from tests.parts import ROOT
from tests.sdk.test_settings import settings


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"OTEL_EXPORTER_OTLP_TIMEOUT": "soon"}, "OTEL_EXPORTER_OTLP_TIMEOUT='soon'"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}, "use one of http/protobuf, grpc"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "ftp://x"}, "OTEL_EXPORTER_OTLP_ENDPOINT is no http"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x:port"}, "OTEL_EXPORTER_OTLP_ENDPOINT is no http"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://[x"}, "OTEL_EXPORTER_OTLP_ENDPOINT is no http"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x:4317"}, "use port 4318 or protocol grpc"),
        ({"HOST_IP": "http://10.0.0.9"}, "is no address of a node"),
        ({"OTEL_EXPORTER_OTLP_HEADERS": "secret"}, "OTEL_EXPORTER_OTLP_HEADERS: an entry is no key"),
        ({"OTEL_EXPORTER_OTLP_HEADERS": "c2VjcmV0=="}, "OTEL_EXPORTER_OTLP_HEADERS: an entry is no key"),
        (
            {"OTEL_EXPORTER_OTLP_HEADERS": "x-key=s%0Ax"},
            "OTEL_EXPORTER_OTLP_HEADERS: the entry 'x-key' is left out",
        ),
        ({"OTEL_KIT_HEADERS": "x key=1"}, "OTEL_KIT_HEADERS: an entry is no key"),
        ({"OTEL_KIT_HEADERS": "x@key=1"}, "OTEL_KIT_HEADERS: the entry 'x@key' is left out"),
        ({"OTEL_METRIC_EXPORT_INTERVAL": "-1"}, "use a positive number"),
        ({"OTEL_METRIC_EXPORT_INTERVAL": "inf"}, "use a positive number"),
        ({"OTEL_METRIC_EXPORT_INTERVAL": "500"}, "below 1000 milliseconds"),
        ({"DD_TAGS": "env:f, nonsense other"}, "DD_TAGS: a word is no key:value pair"),
        ({"OTEL_SDK_DISABLED": "maybe"}, "use one of true, false"),
        ({"OTEL_SDK_DISABLED": "1"}, "use one of true, false"),
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "use one of otlp, none"),
        ({"OTEL_KIT_LOGS": "file"}, "use one of stdout, otlp, both, none"),
        ({"OTEL_KIT_LOG_LEVEL": "LOUD"}, "OTEL_KIT_LOG_LEVEL='LOUD'"),
        ({"OTEL_KIT_SHUTDOWN_TIMEOUT": "x"}, "OTEL_KIT_SHUTDOWN_TIMEOUT='x'"),
    ],
)
def test_a_variable_that_cannot_be_used_is_noted_once_and_its_default_taken(
    environ: dict[str, str], told: str
) -> None:
    found = settings(environ, service="s")
    assert len([problem for problem in found.problems if told in problem]) == 1, found.problems
    assert not any("secret" in problem for problem in found.problems)
    if "4317" not in told and "x:4317" not in str(environ):
        assert found == settings({}, service="s") or found.problems  # only the problems differ
        assert {t.url for t in found.targets.values()} == {
            t.url for t in settings({}, service="s").targets.values()
        }


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"service": ""}, "service=''"),
        ({"service": 5}, "service=5"),
        ({"endpoint": "collector:abc"}, "write http://"),
        ({"endpoint": "http://localhost:abc"}, "write http://"),
        ({"endpoint": "http://"}, "write http://"),
        ({"instrument": 5}, "give a list"),
        ({"instrument": [5]}, "fastapi, grpc"),
        ({"log_level": 10.5}, "a whole number"),
        ({"log_level": True}, "a whole number"),
        ({"health_routes": [None]}, "begin each route with /"),
        ({"health_routes": "/healthz"}, "give a list"),
        ({"health_routes": 5}, "give a list"),
        ({"shutdown_timeout": math.inf}, "at least 0"),
        ({"shutdown_timeout": math.nan}, "at least 0"),
        ({"metric_interval": math.inf}, "at least 1"),
        ({"metric_interval": math.nan}, "at least 1"),
        ({"headers": {"x": None}}, "give strings"),
        ({"headers": {"x": "a\nb"}}, "'x' cannot be sent"),
        ({"resource_attributes": {"x": ["y"]}}, "strings, numbers or booleans"),
        ({"resource_attributes": {1: "y"}}, "strings, numbers or booleans"),
        ({"protocol": "http/json"}, "http/protobuf, grpc"),
        ({"logs": "file"}, "stdout, otlp, both, none"),
        ({"traces": "yes"}, "True or False"),
        ({"metric_interval": 0.5}, "at least 1"),
        ({"metric_interval": True}, "at least 1"),
        ({"shutdown_timeout": -1}, "at least 0"),
        ({"log_level": "LOUD"}, "DEBUG"),
        ({"instrument": ["flask"]}, "fastapi, grpc"),
        ({"instrument": "grpc"}, "instrument"),
        ({"headers": "a=1"}, "give a dict"),
        ({"resource_attributes": [1]}, "give a dict"),
        ({"health_routes": ["healthz"]}, "begin each route with /"),
    ],
)
def test_a_wrong_argument_raises(arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told.replace("(", r"\(")):
        settings({}, **arguments)


def test_variables_that_do_nothing_are_told() -> None:
    environ = {
        "OTEL_KIT_SAMPLNG": "*@0.1",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "OTEL_BSP_MAX_QUEUE_SIZE": "s3cret",
        "OTEL_BLRP_EXPORT_TIMEOUT": " ",
        "OTEL_KIT_RUN_PID": "1",
    }
    unknown, others = settings(environ, service="s").problems
    assert unknown == "OTEL_KIT_SAMPLNG is no variable of the library; did you mean 'OTEL_KIT_SAMPLING'?"
    assert others.startswith("OTEL_BSP_MAX_QUEUE_SIZE, OTEL_BSP_SCHEDULE_DELAY: of no effect, since batches")


def test_variables_of_ddtrace_are_one_sentence_with_what_to_use_instead() -> None:
    environ = {"DD_TRACE_ENABLED": "false", "DD_LOGS_INJECTION": "true", "DD_TRACE_SAMPLE_RATE": "s3cret"}
    (problem,) = settings({**environ, "DD_ENV": "dev"}, service="s").problems
    assert problem == (
        "DD_LOGS_INJECTION, DD_TRACE_ENABLED, DD_TRACE_SAMPLE_RATE: of no effect on otel-kit, since "
        "they are for ddtrace; use OTEL_KIT_TRACES for DD_TRACE_ENABLED, "
        "OTEL_KIT_SAMPLING for DD_TRACE_SAMPLE_RATE"
    )
    (alone,) = settings({"DD_LOGS_INJECTION": "true"}, service="s").problems
    assert alone.endswith("; remove them where nothing else reads them")


def test_the_page_for_services_lists_the_variables_of_ddtrace() -> None:
    text = (ROOT / "docs" / "service.md").read_text()
    assert [name for name in DDTRACE if f"`{name}`" not in text] == []
    assert {name for name in DDTRACE.values() if name} - set(re.findall(r"\w+", text)) == set()


def test_problems_name_a_value_that_can_be_used() -> None:
    found = settings({"OTEL_KIT_LOG_LEVEL": "LOUD", "OTEL_EXPORTER_OTLP_ENDPOINT": "htp:/x"}, service="s")
    assert any("so 'INFO' is; use one of DEBUG" in p for p in found.problems)
    assert any("OTEL_EXPORTER_OTLP_ENDPOINT is no http:// or https:// URL" in p for p in found.problems)
    assert found.targets["traces"].url == "http://localhost:4318/v1/traces"


ODD = [
    "",
    " ",
    "=",
    ",",
    "a=b",
    "-1",
    "0",
    "1e999",
    "nan",
    "true",
    "None",
    "[",
    "://",
    "http://",
    "%",
    "%zz",
    "\udce4",
]


ODD += [
    "http://[::1",
    "http://u:p@[::1%25]:99999",
    "*",
    "**",
    "(",
    "x" * 10_000,
    "a=" * 1000,
    "\n",
    "ü",
    "10s",
    "@0.5",
]


def test_no_environment_makes_it_raise() -> None:
    """Values at random for all variables of the published table; what is resolved can be shown and used."""
    names = sorted(
        set(re.findall(r"\b(?:OTEL|DD|K8S|MY|POD|NODE|HOST)_[A-Z0-9_]*[A-Z0-9]\b", module.__doc__ or ""))
    )
    chance = random.Random(5)
    for _ in range(400):
        environ = {name: chance.choice(ODD) for name in chance.sample(names, 12)}
        found = resolve(Arguments(), environ, host="host")
        assert len({origin.setting for origin in found.origins}) == len(found.origins)
        for signal, target in found.targets.items():
            assert target.shown
            make_sender(signal, target)  # type: ignore[arg-type]
        assert all("\n" not in problem for problem in found.problems)

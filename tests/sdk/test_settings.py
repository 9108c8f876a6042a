"""Arguments win over OTEL_*, these over DD_*."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import pytest

from otel_kit.errors import InputError
from otel_kit.sdk.config import settings as module
from otel_kit.sdk.config.arguments import INSTRUMENTATIONS, Arguments
from otel_kit.sdk.config.http import HEALTH_ROUTES
from otel_kit.sdk.config.resource import DOWNWARD_API
from otel_kit.sdk.config.settings import Settings, resolve
from otel_kit.sdk.config.targets import NODE_ADDRESSES
from otel_kit.sdk.config.unused import OWN


def settings(environ: dict[str, str] | None = None, **arguments: Any) -> Settings:
    """Settings of a host called ``host``."""
    return resolve(Arguments(**arguments), environ or {}, host="host")


def test_defaults() -> None:
    found = settings(service="s")
    assert {signal: target.url for signal, target in found.targets.items()} == {
        "traces": "http://localhost:4318/v1/traces",
        "metrics": "http://localhost:4318/v1/metrics",
        "logs": "http://localhost:4318/v1/logs",
    }
    assert (found.metric_interval, found.shutdown_timeout, found.logs.mode, found.logs.level) == (
        10,
        3,
        "both",
        None,
    )
    assert found.instrument == set(INSTRUMENTATIONS)
    assert {target.timeout for target in found.targets.values()} == {10}
    assert found.problems == ()
    assert found.instance == "host"
    assert "service" in settings().problems[0]


NAMES = {
    "OTEL_RESOURCE_ATTRIBUTES": "service.name=d,deployment.environment=d,service.version=d,team=a%20b",
    "OTEL_SERVICE_NAME": "c",
    "DD_SERVICE": "e",
    "DD_ENV": "e",
    "DD_VERSION": "e",
    "DD_TAGS": "env:f, region:eu service:f",
}


def test_precedence_of_unified_tags() -> None:
    def tags(found: Settings) -> list[object]:
        keys = ("service.name", "deployment.environment.name", "service.version", "team", "region")
        return [found.resource.get(key) for key in keys]

    assert tags(settings(NAMES, service="a", env="a", version="a", resource_attributes={"team": "b"})) == [
        *"aaab",
        "eu",
    ]
    assert tags(settings(NAMES)) == ["c", "d", "d", "a b", "eu"]
    del NAMES["OTEL_SERVICE_NAME"]
    assert tags(settings(NAMES)) == ["d", "d", "d", "a b", "eu"]
    del NAMES["OTEL_RESOURCE_ATTRIBUTES"]
    assert tags(settings(NAMES)) == ["e", "e", "e", None, "eu"]
    assert tags(settings({"DD_TAGS": NAMES["DD_TAGS"]})) == ["f", "f", None, None, "eu"]


def test_the_pod_by_the_downward_api() -> None:
    environ = {
        "POD_NAME": "bff-1",
        "POD_UID": "uid",
        "NODE_NAME": "n1",
        "POD_NAMESPACE": "shop",
        "HOST_IP": "10.0.0.9",
    }
    found = settings(environ, service="s")
    assert {k: v for k, v in found.resource.items() if k.startswith("k8s")} == {
        "k8s.pod.name": "bff-1",
        "k8s.pod.uid": "uid",
        "k8s.node.name": "n1",
        "k8s.namespace.name": "shop",
    }
    assert found.instance == "uid"
    assert found.targets["traces"].url == "http://10.0.0.9:4318/v1/traces"
    assert (
        settings({"HOST_IP": "fd00::1"}, service="s", protocol="grpc").targets["logs"].url
        == "http://[fd00::1]:4317"
    )


def test_generic_variables_count_in_kubernetes_alone() -> None:
    generic = {"CONTAINER_NAME": "c", "CLUSTER_NAME": "k", "NODE_NAME": "n"}
    assert not [key for key in settings(generic, service="s").resource if key.startswith("k8s")]
    for more in ({"POD_NAME": "p"}, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}):
        found = settings({**generic, **more}, service="s").resource
        assert [found[f"k8s.{of}.name"] for of in ("container", "cluster", "node")] == ["c", "k", "n"]


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_credentials_of_an_endpoint_become_a_header_and_are_never_shown(protocol: str) -> None:
    secret = "http://us%40er:s3cret@c:4317/?key=s3cret"
    for found in (
        settings({"OTEL_EXPORTER_OTLP_ENDPOINT": secret}, service="s", protocol=protocol),
        settings(service="s", protocol=protocol, endpoint=secret),
    ):
        target = found.targets["logs"]
        assert target.shown == ("http://c:4317" if protocol == "grpc" else "http://c:4317/v1/logs")
        assert base64.b64decode(target.headers["authorization"].partition(" ")[2]) == b"us@er:s3cret"
        assert "s3cret" not in repr(found)
    own = settings(service="s", endpoint=secret, headers={"Authorization": "mine"}).targets["logs"]
    assert dict(own.headers) == {"authorization": "mine"}
    assert own.url == "http://c:4317/v1/logs?key=s3cret"
    for unusable in ("http://user:s3cret@host:port", b"http://user:s3cret@host:1"):
        with pytest.raises(InputError) as wrong:
            settings(service="s", endpoint=unusable)
        assert "s3cret" not in str(wrong.value)


def test_odd_endpoints() -> None:
    def url(endpoint: str, protocol: str) -> str:
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol}
        return settings(environ, service="s").targets["traces"].url

    assert url("HTTPS://c:4317", "grpc") == "https://c:4317"
    assert url("http://[::1]", "grpc") == "http://[::1]:4317"
    assert url("http://[::1]", "http/protobuf") == "http://[::1]/v1/traces"
    assert url("http://c:4317/path/", "grpc") == "http://c:4317"


@pytest.mark.parametrize(("insecure", "scheme"), [("", "http"), ("false", "https")])
def test_an_endpoint_without_a_scheme_is_taken_from_both(insecure: str, scheme: str) -> None:
    environ = {"OTEL_EXPORTER_OTLP_INSECURE": insecure}
    by_variable = settings({**environ, "OTEL_EXPORTER_OTLP_ENDPOINT": "localhost:4318"}, service="s")
    by_argument = settings(environ, service="s", endpoint="localhost:4318")
    for found in (by_variable, by_argument):
        assert found.targets["traces"].url == f"{scheme}://localhost:4318/v1/traces"


def test_an_instance_id_of_the_user_is_a_beginning() -> None:
    found = settings({"OTEL_RESOURCE_ATTRIBUTES": "service.instance.id=mine"}, service="s")
    assert (found.instance, "service.instance.id" in found.resource) == ("mine", False)


def test_targets_of_single_signals() -> None:
    found = settings(
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318/",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t:1/own",
            "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL": "grpc",
            "OTEL_EXPORTER_OTLP_HEADERS": "a=1,b=2",
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "b=3%2C4",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
            "OTEL_METRICS_EXPORTER": "none",
        },
        service="s",
        headers={"c": "5"},
    )
    assert found.targets["traces"].url == "http://t:1/own"
    assert found.targets["logs"].url == "http://c:4318"
    assert dict(found.targets["traces"].headers) == {"a": "1", "b": "3,4", "c": "5"}
    assert found.targets["traces"].compress
    assert "metrics" not in found.targets
    assert "3,4" not in repr(found)  # headers may be secrets


@pytest.mark.parametrize(
    ("value", "seconds"), [("5", 5), ("0.5", 0.5), ("999", 999), ("1000", 1), ("10000", 10)]
)
def test_timeouts_in_seconds_and_in_milliseconds(value: str, seconds: float) -> None:
    assert settings({"OTEL_EXPORTER_OTLP_TIMEOUT": value}, service="s").targets["logs"].timeout == seconds


@pytest.mark.parametrize("value", ["true", "TRUE", "1"])
def test_the_kill_switch_may_be_a_number(value: str) -> None:
    assert settings({"OTEL_KIT_DISABLED": value}).disabled == "OTEL_KIT_DISABLED"
    assert not settings({"OTEL_KIT_DISABLED": "0"}).disabled


def test_times_that_nothing_can_wait_for_become_a_day() -> None:
    found = settings(
        {"OTEL_METRIC_EXPORT_INTERVAL": "1e300", "OTEL_EXPORTER_OTLP_TIMEOUT": "1e15"}, shutdown_timeout=1e12
    )
    assert (found.metric_interval, found.shutdown_timeout) == (86_400, 86_400)
    assert {target.timeout for target in found.targets.values()} == {86_400}


def test_the_published_table_names_all_variables_and_defaults() -> None:
    named = set(re.findall(r"[\w/]+", module.__doc__ or ""))
    variables = {name for names in DOWNWARD_API.values() for name in names}
    assert variables | set(NODE_ADDRESSES) | set(HEALTH_ROUTES) <= named


def test_own_variables_are_all_known_and_in_the_table() -> None:
    own = re.compile(r"OTEL_KIT_[A-Z_]*[A-Z]")
    read = {
        name for file in Path(module.__file__).parent.glob("*.py") for name in own.findall(file.read_text())
    }
    assert read <= OWN
    named = (module.__doc__ or "").replace("{TRACES,METRICS}", "TRACES OTEL_KIT_METRICS")
    assert set(own.findall(named)) == OWN - {"OTEL_KIT_RUN_PID"}


def test_what_a_template_left_empty_counts_as_not_set() -> None:
    empty = {"OTEL_RESOURCE_ATTRIBUTES": "service.name=,deployment.environment.name= ,service.version="}
    found = settings({**empty, "DD_SERVICE": "real", "DD_ENV": "q", "DD_VERSION": "5"})
    keys = ("service.name", "deployment.environment.name", "service.version")
    assert [found.resource[key] for key in keys] == ["real", "q", "5"]
    assert (
        settings({"OTEL_RESOURCE_ATTRIBUTES": "service.name="}).resource["service.name"] == "unknown_service"
    )

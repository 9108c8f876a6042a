"""The resource of this process, from arguments and environment alone: nothing here may touch the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from otel_kit import conventions as c
from otel_kit.sdk.config.environment import ARGUMENT, DEFAULT, DETECTED, Environment

__all__ = ["UNKNOWN", "resource_attributes"]

Value = str | int | float | bool
UNKNOWN: Final = "unknown_service"

#: Resource attribute -> variables by which the downward API is commonly made to tell it, first match wins.
DOWNWARD_API: Final[dict[str, tuple[str, ...]]] = {
    c.K8S_POD_NAME: ("K8S_POD_NAME", "POD_NAME", "MY_POD_NAME"),
    c.K8S_POD_UID: ("K8S_POD_UID", "POD_UID", "MY_POD_UID"),
    c.K8S_NAMESPACE_NAME: ("K8S_NAMESPACE_NAME", "K8S_NAMESPACE", "POD_NAMESPACE", "MY_POD_NAMESPACE"),
    c.K8S_NODE_NAME: ("K8S_NODE_NAME", "MY_NODE_NAME", "NODE_NAME"),
    c.K8S_CONTAINER_NAME: ("K8S_CONTAINER_NAME", "CONTAINER_NAME"),
    c.K8S_CLUSTER_NAME: ("K8S_CLUSTER_NAME", "CLUSTER_NAME"),
    "k8s.deployment.name": ("K8S_DEPLOYMENT_NAME",),
    "k8s.cronjob.name": ("K8S_CRONJOB_NAME",),
    "k8s.job.name": ("K8S_JOB_NAME",),
}
#: Other machines have these, too, so they count in Kubernetes alone.
GENERIC: Final = frozenset({"NODE_NAME", "CONTAINER_NAME", "CLUSTER_NAME"})
#: Our variable, and that of Datadog's unified service tagging
#: (https://docs.datadoghq.com/getting_started/tagging/unified_service_tagging/).
UNIFIED: Final[dict[str, tuple[str, str]]] = {
    c.SERVICE_NAME: ("OTEL_KIT_SERVICE", "DD_SERVICE"),
    c.DEPLOYMENT_ENVIRONMENT: ("OTEL_KIT_ENV", "DD_ENV"),
    c.SERVICE_VERSION: ("OTEL_KIT_VERSION", "DD_VERSION"),
}


def resource_attributes(
    env: Environment,
    *,
    service: str | None,
    env_name: str | None,
    version: str | None,
    extra: Mapping[str, Value] | None,
    host: str,
) -> tuple[dict[str, Value], str]:
    """The attributes without ``service.instance.id``, and what that id begins with.

    An id given by the user is only a beginning, too: two workers of one pod would share it, and of two
    writers of one series Datadog keeps one.
    """
    found: dict[str, Value] = {}

    def take(values: Mapping[str, Value], source: str) -> None:
        for key, value in values.items():
            found[key] = value
            env.note(key, value, source)

    def take_first(key: str, *names: str) -> None:
        first = env.find(*names)
        if first is not None:
            take({key: first[1]}, first[0])

    take(_datadog_tags(env), "DD_TAGS")
    kubernetes = env.find("KUBERNETES_SERVICE_HOST", *DOWNWARD_API[c.K8S_POD_NAME]) is not None
    for key, names in DOWNWARD_API.items():
        take_first(key, *(name for name in names if kubernetes or name not in GENERIC))
    for key, (_, datadog) in UNIFIED.items():
        take_first(key, datadog)
    take(_with_new_name(env.pairs("OTEL_RESOURCE_ATTRIBUTES")), "OTEL_RESOURCE_ATTRIBUTES")
    take_first(c.SERVICE_NAME, "OTEL_SERVICE_NAME")
    take(_with_new_name(env.pairs("OTEL_KIT_RESOURCE_ATTRIBUTES")), "OTEL_KIT_RESOURCE_ATTRIBUTES")
    for key, (own, _) in UNIFIED.items():
        take_first(key, own)
    take(_with_new_name(extra or {}), ARGUMENT)
    given = {c.SERVICE_NAME: service, c.DEPLOYMENT_ENVIRONMENT: env_name, c.SERVICE_VERSION: version}
    take({key: value for key, value in given.items() if value is not None}, ARGUMENT)
    if c.SERVICE_NAME not in found:
        take({c.SERVICE_NAME: UNKNOWN}, DEFAULT)
        env.problems.append(
            "the service has no name; set OTEL_SERVICE_NAME or DD_SERVICE, or give init(service=...)"
        )
    if c.SERVICE_INSTANCE_ID not in found:
        pod = found.get(c.K8S_POD_UID) or found.get(c.K8S_POD_NAME)
        take({c.SERVICE_INSTANCE_ID: pod or host}, DETECTED)
    return found, str(found.pop(c.SERVICE_INSTANCE_ID))


def _datadog_tags(env: Environment) -> dict[str, str]:
    """``DD_TAGS``: key:value pairs separated by commas or blanks; env, service and version count as such."""
    own = {"env": c.DEPLOYMENT_ENVIRONMENT, "service": c.SERVICE_NAME, "version": c.SERVICE_VERSION}
    found = {}
    unusable = False
    given = env.find("DD_TAGS")  # each tag is noted by itself, by `take`
    for word in (given[1] if given else "").replace(",", " ").split():
        key, colon, value = word.partition(":")
        if colon and key and value:
            found[own.get(key, key)] = value
        else:
            unusable = True
    if unusable:
        env.problems.append(
            "DD_TAGS: a word is no key:value pair and is left out; write key:value,key2:value2"
        )
    return found


def _with_new_name(pairs: Mapping[str, Value]) -> Mapping[str, Value]:
    """``deployment.environment`` was the name of it until 2024; manifests still have it."""
    old = pairs.get("deployment.environment")
    return pairs if old is None else {c.DEPLOYMENT_ENVIRONMENT: old, **pairs}

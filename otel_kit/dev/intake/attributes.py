"""OTLP attributes -> Python values -> Datadog tags."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from otel_kit import conventions

__all__ = [
    "Resource",
    "attributes_of",
    "metric_name",
    "normalise_tag",
    "read_resource",
    "tag",
    "to_json",
    "value_of",
]

#: What Datadog's agent calls a service that does not say its name.
NO_SERVICE: Final = "otlpresourcenoservicename"
# json.dumps makes an encoder at each call that is not like its defaults, and this runs for each span.
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_MAX_TAG: Final = 200
_MAX_NAME: Final = 200
_ODD_IN_TAG: Final = re.compile(r"[^\w:./-]+")
_UNDERSCORES: Final = re.compile(r"__+")
_LEADING: Final = re.compile(r"^(?:(?!:)[\W\d_])+")
_ODD_IN_NAME: Final = re.compile(r"[^A-Za-z0-9_.]")
_MAPPED: Final = {**conventions.DATADOG_TAGS, "deployment.environment": "env"}


def value_of(value: AnyValue) -> Any:
    """A JSON-able value: bytes become base64, maps and arrays are kept."""
    # Nearly all values are strings, and to read one is three times as quick as to ask which kind it is.
    return value.string_value or _other_value(value)


def _other_value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return ""
    if kind == "int_value":
        return value.int_value
    if kind == "bool_value":
        return value.bool_value
    if kind == "double_value":
        return _finite(value.double_value)
    if kind == "array_value":
        return [value_of(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return attributes_of(value.kvlist_value.values)
    if kind == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    return None


def attributes_of(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    """Attributes by key; of two with one key the last counts."""
    return {pair.key: value_of(pair.value) for pair in pairs}


def to_json(value: Any) -> str:
    """Compact JSON, as text to store."""
    return _ENCODER.encode(value)


def tag(key: str, value: Any) -> str:
    """``key:value`` in the form that Datadog's backend keeps; an empty value is ``n/a``."""
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, (dict, list)):
        text = to_json(value)
    else:
        text = "" if value is None else str(value)
    return normalise_tag(f"{key}:{text or 'n/a'}")


def normalise_tag(text: str) -> str:
    """Lower case, 200 characters at most, a letter first; odd characters become one ``_``, none at the end.

    https://docs.datadoghq.com/getting_started/tagging/#define-tags
    """
    lowered = _LEADING.sub("", text.lower())
    return _UNDERSCORES.sub("_", _ODD_IN_TAG.sub("_", lowered))[:_MAX_TAG].rstrip("_")


def metric_name(text: str) -> str:
    """The name that Datadog keeps: letters, digits, ``_``, ``.``; empty when it has no letter to start with.

    https://docs.datadoghq.com/metrics/custom_metrics/#naming-custom-metrics
    """
    return re.sub(r"^[^A-Za-z]+", "", _ODD_IN_NAME.sub("_", text))[:_MAX_NAME]


class Resource:
    """A resource, read once per request: its attributes and the tags Datadog always makes of them."""

    __slots__ = ("all_tags", "attributes", "env", "json", "mapped_tags", "service", "version")

    def __init__(self, attributes: Mapping[str, Any]) -> None:
        self.attributes = dict(attributes)
        self.json = to_json(self.attributes)
        self.service = str(attributes.get(conventions.SERVICE_NAME) or NO_SERVICE)
        env = attributes.get(conventions.DEPLOYMENT_ENVIRONMENT) or attributes.get("deployment.environment")
        self.env = str(env or "")
        self.version = str(attributes.get(conventions.SERVICE_VERSION) or "")
        mapped = {_MAPPED[k]: v for k, v in attributes.items() if k in _MAPPED}
        host = _host(attributes)
        if host:
            mapped["host"] = host
        self.mapped_tags = tuple(tag(k, v) for k, v in mapped.items())
        self.all_tags = tuple(tag(k, v) for k, v in attributes.items())


def read_resource(pairs: Iterable[KeyValue]) -> Resource:
    """Read a resource from its OTLP attributes."""
    return Resource(attributes_of(pairs))


def _host(attributes: Mapping[str, Any]) -> str:
    """https://docs.datadoghq.com/opentelemetry/mapping/hostname/, without the ids of cloud providers."""
    node, cluster = attributes.get(conventions.K8S_NODE_NAME), attributes.get(conventions.K8S_CLUSTER_NAME)
    in_cluster = f"{node}-{cluster}" if node and cluster else None
    found = (
        attributes.get("datadog.host.name")
        or in_cluster
        or attributes.get("host.id")
        or attributes.get("host.name")
    )
    return str(found or "")


def _finite(number: float) -> float | str:
    """JSON has no NaN and no infinity; they are kept as words."""
    return number if math.isfinite(number) else str(number)

"""The monitors and dashboards of this repository."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from otel_kit.datadog.model import Definition
from otel_kit.datadog.normalise import body_for_create
from otel_kit.datadog.query import metric_queries, parse_monitor_query
from tests.datadog.samples import shipped

#: All that the library emits and both ways into Datadog keep under this name.
METRICS = {"http.server.request.duration", "rpc.server.call.duration", "rpc.client.call.duration"}
MONITORS = [d for d in shipped() if d.kind == "monitor"]


def test_each_service_has_its_golden_signals() -> None:
    assert {d.id for d in MONITORS} == {
        "http-error-rate-shop-bff",
        "http-latency-shop-bff",
        "http-no-traffic-shop-bff",
        "grpc-error-rate-shop-orders",
        "grpc-latency-shop-orders",
        "grpc-no-traffic-shop-orders",
    }


@pytest.mark.parametrize("wanted", MONITORS, ids=lambda d: d.id)
def test_monitors_hold_in_both_backends(wanted: Definition) -> None:
    query = parse_monitor_query(wanted.body["query"])
    for part in metric_queries(query.expression):
        assert part.metric in METRICS
        # Percentiles hold only after they were enabled for the metric.
        assert part.aggregator in {"avg", "count"}
        assert part.by == ("env",)


@pytest.mark.parametrize("wanted", MONITORS, ids=lambda d: d.id)
def test_monitors_tell_why_where_to_look_and_whom(wanted: Definition) -> None:
    message, options = wanted.body["message"], wanted.body["options"]
    for part in ("Why: ", "First look: ", "Owner: team-shop", "@team-shop", "{{#is_alert}}"):
        assert part in message
    assert {"thresholds", "on_missing_data"} <= options.keys()
    assert wanted.body["priority"] == 1
    assert "owner:team-shop" in wanted.body["tags"]


@pytest.mark.parametrize("wanted", shipped(), ids=lambda d: d.id)
def test_datadogs_own_client_knows_every_part(wanted: Definition) -> None:
    """The client's typed models are strict: an unknown widget or a wrong enum comes out unparsed."""
    from datadog_api_client import Configuration
    from datadog_api_client.model_utils import validate_and_convert_types
    from datadog_api_client.v1.model.dashboard import Dashboard
    from datadog_api_client.v1.model.monitor import Monitor

    model = Monitor if wanted.kind == "monitor" else Dashboard
    configuration: Any = Configuration()  # type: ignore[no-untyped-call]
    typed = validate_and_convert_types(  # type: ignore[no-untyped-call]
        body_for_create(wanted), (model,), ["body"], True, True, configuration=configuration
    )
    assert list(_unparsed(typed, "body")) == []


def _unparsed(value: Any, path: str) -> Iterator[str]:
    if type(value).__name__ == "UnparsedObject":
        yield path
    children = getattr(value, "_data_store", None)
    pairs = children.items() if children is not None else enumerate(value) if isinstance(value, list) else ()
    for key, child in pairs:
        yield from _unparsed(child, f"{path}.{key}")

"""The header ``dd-otel-metric-config``: how Datadog's intake translates metrics.

https://docs.datadoghq.com/opentelemetry/setup/otlp_ingest/metrics/#optional-configure-the-metric-translator
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from otel_kit.conventions import HEADER_DD_METRIC_CONFIG
from otel_kit.dev.errors import Refusal

__all__ = ["MetricConfig", "read_metric_config"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricConfig:
    """The settings, with Datadog's defaults."""

    resource_attributes_as_tags: bool = False
    instrumentation_scope_metadata_as_tags: bool = False
    histograms_mode: Literal["distributions", "counters", "nobuckets"] = "distributions"
    send_aggregation_metrics: bool = False
    summaries_mode: Literal["noquantiles", "gauges"] = "gauges"


def read_metric_config(header: str) -> MetricConfig:
    """Parse the header; an unknown key or value is a 400 that names it."""
    if not header.strip():
        return MetricConfig()
    try:
        given = json.loads(header)
    except ValueError as error:
        raise Refusal(400, f"{HEADER_DD_METRIC_CONFIG} is not JSON: {error}") from None
    top = _object(
        given, "", {"resource_attributes_as_tags", "instrumentation_scope_metadata_as_tags", *_GROUPS}
    )
    histograms = _object(top.get("histograms", {}), "histograms", {"mode", "send_aggregation_metrics"})
    summaries = _object(top.get("summaries", {}), "summaries", {"mode"})
    config = MetricConfig(
        resource_attributes_as_tags=_flag(top, "resource_attributes_as_tags"),
        instrumentation_scope_metadata_as_tags=_flag(top, "instrumentation_scope_metadata_as_tags"),
        histograms_mode=_choice(histograms, "histograms.mode", ("distributions", "counters", "nobuckets")),
        send_aggregation_metrics=_flag(histograms, "send_aggregation_metrics", "histograms."),
        summaries_mode=_choice(summaries, "summaries.mode", ("gauges", "noquantiles")),
    )
    if config.histograms_mode == "nobuckets" and not config.send_aggregation_metrics:
        _refuse(
            "histograms.mode 'nobuckets' keeps nothing unless histograms.send_aggregation_metrics is true"
        )
    return config


_GROUPS = ("histograms", "summaries")


def _object(value: Any, path: str, known: set[str]) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        _refuse(f"{path or 'the value'} must be an object")
    for key in value:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            _refuse(f"unknown key {f'{path}.' if path else ''}{key}{hint}")
    return dict(value)


def _flag(group: Mapping[str, Any], key: str, prefix: str = "") -> bool:
    value = group.get(key, False)
    if not isinstance(value, bool):
        _refuse(f"{prefix}{key} must be true or false")
    return bool(value)


def _choice(group: Mapping[str, Any], path: str, allowed: tuple[Any, ...]) -> Any:
    value = group.get("mode", allowed[0])
    if value not in allowed:
        _refuse(f"{path} must be one of {', '.join(allowed)}")
    return value


def _refuse(message: str) -> None:
    raise Refusal(400, f"{HEADER_DD_METRIC_CONFIG}: {message}")

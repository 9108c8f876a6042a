"""What Datadog's API calls things: keys a definition may hold, monitor types, values the server fills in.

Sources: the OpenAPI description of API v1 (schemas Monitor, MonitorOptions, MonitorThresholds, MonitorType,
Dashboard, the widget definitions); `OPTION_DEFAULTS` has its own.
"""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

__all__ = [
    "DASHBOARD_KEYS",
    "METRIC_TYPES",
    "MISSING_DATA",
    "MONITOR_KEYS",
    "MONITOR_TYPES",
    "OPTION_DEFAULTS",
    "OPTION_KEYS",
    "OPTION_TYPES",
    "READ_ONLY_DASHBOARD_KEYS",
    "READ_ONLY_MONITOR_KEYS",
    "SERVER_DASHBOARD_KEYS",
    "THRESHOLD_KEYS",
    "WIDGET_TYPES",
    "OptionType",
]

#: Datadog turns one of these into the other as it sees fit, depending on the query.
METRIC_TYPES: Final = frozenset({"metric alert", "query alert"})

MONITOR_TYPES: Final = METRIC_TYPES | {
    "audit alert",
    "ci-pipelines alert",
    "ci-tests alert",
    "composite",
    "cost alert",
    "data-jobs alert",
    "data-quality alert",
    "database-monitoring alert",
    "error-tracking alert",
    "event alert",
    "event-v2 alert",
    "llm-observability alert",
    "log alert",
    "network-path alert",
    "network-performance alert",
    "process alert",
    "rum alert",
    "service check",
    "slo alert",
    "synthetics alert",
    "trace-analytics alert",
}

MONITOR_KEYS: Final = frozenset(
    {
        "draft_status",
        "message",
        "name",
        "options",
        "priority",
        "query",
        "restricted_roles",
        "tags",
        "type",
    }
)

READ_ONLY_MONITOR_KEYS: Final = frozenset(
    {
        "created",
        "created_at",
        "creator",
        "deleted",
        "id",
        "matching_downtimes",
        "modified",
        "multi",
        "org_id",
        "overall_state",
        "overall_state_modified",
        "state",
    }
)

OptionType: TypeAlias = Literal[
    "a mapping", "a string", "true or false", "a whole number, 0 or more", "a list", "a list of strings"
]

#: What each option takes; null, which means that it is not there, is always taken.
OPTION_TYPES: Final[dict[str, OptionType]] = {
    "aggregation": "a mapping",
    "enable_logs_sample": "true or false",
    "enable_samples": "true or false",
    "escalation_message": "a string",
    "evaluation_delay": "a whole number, 0 or more",
    "group_retention_duration": "a string",
    "groupby_simple_monitor": "true or false",
    "include_tags": "true or false",
    "locked": "true or false",
    "min_failure_duration": "a whole number, 0 or more",
    "min_location_failed": "a whole number, 0 or more",
    "new_group_delay": "a whole number, 0 or more",
    "new_host_delay": "a whole number, 0 or more",
    "no_data_timeframe": "a whole number, 0 or more",
    "notification_preset_name": "a string",
    "notify_audit": "true or false",
    "notify_by": "a list of strings",
    "notify_no_data": "true or false",
    "on_missing_data": "a string",
    "renotify_interval": "a whole number, 0 or more",
    "renotify_occurrences": "a whole number, 0 or more",
    "renotify_statuses": "a list of strings",
    "require_full_window": "true or false",
    "scheduling_options": "a mapping",
    "threshold_windows": "a mapping",
    "thresholds": "a mapping",
    "timeout_h": "a whole number, 0 or more",
    "variables": "a list",
}

OPTION_KEYS: Final = frozenset(OPTION_TYPES)

#: Values of the option on_missing_data.
MISSING_DATA: Final = ("default", "resolve", "show_and_notify_no_data", "show_no_data")

THRESHOLD_KEYS: Final = frozenset(
    {
        "critical",
        "critical_query",
        "critical_recovery",
        "critical_recovery_query",
        "ok",
        "unknown",
        "warning",
        "warning_recovery",
    }
)

#: An option that is absent, or null, means this; so either side may leave it out without a difference.
#: Seen in recorded answers to monitors that did not say: groupby_simple_monitor, include_tags,
#: new_host_delay, notify_audit, notify_no_data. By the API's description: locked, renotify_interval,
#: timeout_h. Assumed: an empty escalation_message is none.
OPTION_DEFAULTS: Final[dict[str, Any]] = {
    "escalation_message": "",
    "groupby_simple_monitor": False,
    "include_tags": True,
    "locked": False,
    "new_host_delay": 300,
    "notify_audit": False,
    "notify_no_data": False,
    "renotify_interval": 0,
    "timeout_h": 0,
}

DASHBOARD_KEYS: Final = frozenset(
    {
        "default_timeframe",
        "description",
        "layout_type",
        "notify_list",
        "reflow_type",
        "restricted_roles",
        "tags",
        "template_variable_presets",
        "template_variables",
        "title",
        "widgets",
    }
)

#: Written by Datadog, and not taken on a write.
SERVER_DASHBOARD_KEYS: Final = frozenset(
    {
        "author_handle",
        "author_info",
        "author_name",
        "created_at",
        "deleted_at",
        "id",
        "is_read_only",
        "modified_at",
        "url",
    }
)

#: What a file may not hold; an `id` there is ours.
READ_ONLY_DASHBOARD_KEYS: Final = (SERVER_DASHBOARD_KEYS - {"id"}) | {"experience_type"}

#: Not all that there are: Datadog adds one now and then, before it describes it.
WIDGET_TYPES: Final = frozenset(
    {
        "alert_graph",
        "alert_value",
        "bar_chart",
        "change",
        "check_status",
        "cohort",
        "custom",
        "distribution",
        "embedded_app",
        "event_stream",
        "event_timeline",
        "flame_graph",
        "free_text",
        "funnel",
        "geomap",
        "group",
        "heatgrid",
        "heatmap",
        "hostmap",
        "iframe",
        "image",
        "list_stream",
        "log_stream",
        "manage_status",
        "note",
        "point_plot",
        "powerpack",
        "query_table",
        "query_value",
        "retention_curve",
        "run_workflow",
        "sankey",
        "scatterplot",
        "servicemap",
        "slo",
        "slo_list",
        "split_group",
        "sunburst",
        "timeseries",
        "toplist",
        "topology_map",
        "trace_service",
        "treemap",
        "wildcard",
    }
)

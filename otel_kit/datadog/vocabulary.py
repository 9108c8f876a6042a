"""What Datadog's API calls things: keys a definition may hold, monitor types, values the server fills in.

Sources: the OpenAPI description of API v1 (schemas Monitor, MonitorOptions, MonitorThresholds, MonitorType,
Dashboard); `OPTION_DEFAULTS` has its own.
"""

from __future__ import annotations

from typing import Any, Final

__all__ = [
    "DASHBOARD_KEYS",
    "METRIC_TYPES",
    "MISSING_DATA",
    "MONITOR_KEYS",
    "MONITOR_TYPES",
    "OPTION_DEFAULTS",
    "OPTION_KEYS",
    "READ_ONLY_DASHBOARD_KEYS",
    "READ_ONLY_MONITOR_KEYS",
    "SERVER_DASHBOARD_KEYS",
    "THRESHOLD_KEYS",
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

OPTION_KEYS: Final = frozenset(
    {
        "aggregation",
        "enable_logs_sample",
        "enable_samples",
        "escalation_message",
        "evaluation_delay",
        "group_retention_duration",
        "groupby_simple_monitor",
        "include_tags",
        "locked",
        "min_failure_duration",
        "min_location_failed",
        "new_group_delay",
        "new_host_delay",
        "no_data_timeframe",
        "notification_preset_name",
        "notify_audit",
        "notify_by",
        "notify_no_data",
        "on_missing_data",
        "renotify_interval",
        "renotify_occurrences",
        "renotify_statuses",
        "require_full_window",
        "scheduling_options",
        "threshold_windows",
        "thresholds",
        "timeout_h",
        "variables",
    }
)

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

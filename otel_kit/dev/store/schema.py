"""The tables, and what makes a file ours."""

from __future__ import annotations

from typing import Final

__all__ = ["APPLICATION_ID", "SCHEMA", "VERSION"]

#: "okit" in ASCII: how we know our own file (https://www.sqlite.org/pragma.html#pragma_application_id).
APPLICATION_ID: Final = 0x6F6B6974
VERSION: Final = 2

SCHEMA: Final = """
CREATE TABLE resources (id INTEGER PRIMARY KEY, attributes TEXT NOT NULL UNIQUE);

CREATE TABLE spans (
    id INTEGER PRIMARY KEY,
    trace_id TEXT NOT NULL, span_id TEXT NOT NULL, parent_id TEXT NOT NULL,
    service TEXT NOT NULL, env TEXT NOT NULL, version TEXT NOT NULL,
    name TEXT NOT NULL, kind TEXT NOT NULL,
    operation TEXT NOT NULL, resource TEXT NOT NULL, type TEXT NOT NULL,
    start_ns INTEGER NOT NULL, duration_ns INTEGER NOT NULL, error INTEGER NOT NULL,
    status_message TEXT NOT NULL, attributes TEXT NOT NULL, resource_id INTEGER NOT NULL,
    events TEXT NOT NULL, links TEXT NOT NULL,
    UNIQUE (trace_id, span_id)
);

CREATE TABLE traces (
    trace_id TEXT PRIMARY KEY, start_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL,
    spans INTEGER NOT NULL, errors INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX traces_by_time ON traces (start_ns);

CREATE TABLE logs (
    id INTEGER PRIMARY KEY,
    timestamp_ms INTEGER NOT NULL, status TEXT NOT NULL, service TEXT NOT NULL, message TEXT NOT NULL,
    trace_id TEXT NOT NULL, span_id TEXT NOT NULL, attributes TEXT NOT NULL, tags TEXT NOT NULL
);
CREATE INDEX logs_by_trace ON logs (trace_id) WHERE trace_id != '';
CREATE INDEX logs_by_time ON logs (timestamp_ms);

CREATE TABLE services (
    service TEXT NOT NULL, env TEXT NOT NULL, version TEXT NOT NULL,
    spans INTEGER NOT NULL, errors INTEGER NOT NULL, logs INTEGER NOT NULL, last_seen_ms INTEGER NOT NULL,
    PRIMARY KEY (service, env, version)
) WITHOUT ROWID;

CREATE TABLE metrics (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, type TEXT NOT NULL);
CREATE TABLE series (
    id INTEGER PRIMARY KEY, metric_id INTEGER NOT NULL, tags TEXT NOT NULL, UNIQUE (metric_id, tags)
);
CREATE TABLE points (
    series_id INTEGER NOT NULL, second INTEGER NOT NULL, time_ns INTEGER NOT NULL,
    value REAL, count REAL, sum REAL, min REAL, max REAL, buckets TEXT,
    PRIMARY KEY (series_id, second)
) WITHOUT ROWID;

CREATE TABLE losses (
    signal TEXT NOT NULL, reason TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (signal, reason)
) WITHOUT ROWID;

CREATE TABLE monitors (
    id INTEGER PRIMARY KEY AUTOINCREMENT, definition TEXT NOT NULL, fingerprint TEXT, error TEXT
);
CREATE INDEX monitors_by_fingerprint ON monitors (fingerprint);
-- Datadog's ids have eight or more digits; shorter ones would hide a tool that counts on small numbers.
INSERT INTO sqlite_sequence VALUES ('monitors', 10000000);
CREATE TABLE dashboards (
    id TEXT PRIMARY KEY, position INTEGER NOT NULL UNIQUE, definition TEXT NOT NULL, deleted_at TEXT
) WITHOUT ROWID;
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE monitor_groups (
    monitor_id INTEGER NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL, details TEXT NOT NULL,
    PRIMARY KEY (monitor_id, name)
) WITHOUT ROWID;
CREATE TABLE notifications (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    monitor_id INTEGER NOT NULL, at_ms INTEGER NOT NULL, body TEXT NOT NULL
);
CREATE INDEX notifications_by_monitor ON notifications (monitor_id);
"""

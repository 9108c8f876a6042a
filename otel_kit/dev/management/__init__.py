"""Datadog's management API for monitors and dashboards, as pure functions: what is kept and answered."""

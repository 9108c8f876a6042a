"""Monitors and dashboards of Datadog: read, check, compare, apply."""

"""OTLP over HTTP -> the values that Datadog would keep."""

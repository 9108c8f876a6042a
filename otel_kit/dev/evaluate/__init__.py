"""Metric queries and metric monitors, evaluated as Datadog documents it. Pure: series in, states out.

Where Datadog's documentation is silent the choice is written where it is made. What is not evaluated is
refused by name with `UnsupportedError`.
"""

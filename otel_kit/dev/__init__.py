"""`otel-kit dev`: a stand-in for Datadog on this machine, and the page that shows what it holds.

It is a receiver, not Datadog: it takes OTLP as Datadog's intake does, answers the management API for monitors
and dashboards, and evaluates metric monitors. What it cannot do it refuses by name; it never guesses.

Layers: `intake` (OTLP -> values), `store` (SQLite), `evaluate` (queries and monitors, pure),
`management` (Datadog's API, pure) and the edges `web`, `scheduler` and `server`.
"""
